// A file of what was measured, one JSON object per line, appended as it goes, so that a run that dies loses the measurement
// at work and no more:
//   {"quern":"sensitivity","version":1,"settings":{…}}
//   {"tensor":"blk.0.attn_q.weight","type":"Q4_K","kld":0.0012,"error":0.00003}    this tensor alone in this type
//   {"tensor":"blk.0.attn_q.weight","type":"Q5_K","squaredError":17.2}
//   {"mixture":"<sha-256>","kld":0.02,"error":0.0004}                             all tensors at once
// A last line without its newline is what a dead process left: it does not count.
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import { writeError } from '@quern/source';
import type { Divergence } from './calibration-run.ts';
import { requireSameSettings, type SensitivitySettings } from './settings.ts';

/** Raise it when the same settings give other numbers. */
const version = 1;

export class SensitivityJournal {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #divergences: Map<string, Divergence>;
  readonly #squaredErrors: Map<string, number>;

  private constructor(path: string, file: FileHandle, found: Found) {
    this.path = path;
    this.#file = file;
    this.#divergences = found.divergences;
    this.#squaredErrors = found.squaredErrors;
  }

  /**
   * Goes on with the file, or begins it.
   * @throws QuernError `refused-settings-differ`, `sensitivity-not-recognized`, `sensitivity-damaged` with the line,
   *   `disk-full`, `write-denied`, `write-failed`
   */
  static async open(path: string, settings: SensitivitySettings): Promise<SensitivityJournal> {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
    const found = read(bytes.toString('utf8', 0, wholeBytes), bytes.length > 0, settings, path);
    const file = await open(path, 'a').catch((cause) => {
      throw writeError(path, 0, cause);
    });
    const journal = new SensitivityJournal(path, file, found);
    try {
      await file.truncate(wholeBytes);
      if (wholeBytes === 0) await journal.#append({ quern: 'sensitivity', version, settings });
    } catch (error) {
      await file.close();
      throw error;
    }
    return journal;
  }

  /** Measurements that it holds. */
  get size(): number {
    return this.#divergences.size;
  }

  divergence(tensor: string, type: string): Divergence | undefined {
    return this.#divergences.get(keyOf(tensor, type));
  }

  async addDivergence(tensor: string, type: string, { kld, error }: Divergence): Promise<void> {
    this.#divergences.set(keyOf(tensor, type), { kld, error });
    await this.#append({ tensor, type, kld, error });
  }

  squaredError(tensor: string, type: string): number | undefined {
    return this.#squaredErrors.get(keyOf(tensor, type));
  }

  async addSquaredError(tensor: string, type: string, squaredError: number): Promise<void> {
    this.#squaredErrors.set(keyOf(tensor, type), squaredError);
    await this.#append({ tensor, type, squaredError });
  }

  /** @param mixture hash of what every tensor is */
  mixture(mixture: string): Divergence | undefined {
    return this.#divergences.get(keyOf(mixture));
  }

  async addMixture(mixture: string, { kld, error }: Divergence): Promise<void> {
    this.#divergences.set(keyOf(mixture), { kld, error });
    await this.#append({ mixture, kld, error });
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #append(entry: object): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    await this.#file.appendFile(line).catch((cause) => {
      throw writeError(this.path, line.length, cause);
    });
  }
}

const keyOf = (...parts: readonly string[]): string => parts.join('\n');

interface Found {
  readonly divergences: Map<string, Divergence>;
  readonly squaredErrors: Map<string, number>;
}

function read(text: string, exists: boolean, settings: SensitivitySettings, file: string): Found {
  const found: Found = { divergences: new Map(), squaredErrors: new Map() };
  const [head, ...lines] = text.split('\n').slice(0, -1);
  if (head === undefined && !exists) return found;
  const first = head === undefined ? undefined : jsonObject(head);
  if (first?.quern !== 'sensitivity' || first.version !== version || typeof first.settings !== 'object')
    throw new QuernError('sensitivity-not-recognized', 'The file holds no sensitivities of this version.', {
      file,
      remedy: 'Give another name to --sensitivity.',
    });
  requireSameSettings(settings, first.settings as SensitivitySettings, file);
  for (const [i, line] of lines.entries()) {
    if (addLine(found, jsonObject(line))) continue;
    throw new QuernError('sensitivity-damaged', `Line ${i + 2} holds no measurement.`, {
      file,
      remedy: 'Delete the file and start over.',
    });
  }
  return found;
}

function addLine({ divergences, squaredErrors }: Found, entry: Record<string, unknown> | undefined): boolean {
  const { tensor, type, mixture, kld, error, squaredError } = entry ?? {};
  const place = typeof mixture === 'string' ? [mixture] : [tensor, type];
  if (!place.every((part) => typeof part === 'string')) return false;
  const key = keyOf(...(place as string[]));
  if (isNumber(kld) && isNumber(error)) divergences.set(key, { kld, error });
  else if (isNumber(squaredError) && squaredError >= 0) squaredErrors.set(key, squaredError);
  else return false;
  return true;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function jsonObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
