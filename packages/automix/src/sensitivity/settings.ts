// What decides a measured sensitivity besides tensor and type. Two runs share what they measured only when all of it is
// equal. Which types were asked for is none of it: every type of every tensor is measured by itself.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { PlannedImatrix } from '@quern/kquant';
import { modelFingerprint } from '@quern/perplexity';

export interface SensitivitySettings {
  /** Fingerprint of the unquantized model. */
  readonly model: string;
  /** SHA-256 of the tokens of the chunks: of the text, the tokenizer, and how it was cut. */
  readonly text: string;
  readonly chunks: number;
  readonly contextTokens: number;
  /** SHA-256 of the importance matrix, and of the entries used. */
  readonly imatrix: string | null;
}

export async function settingsOf(
  view: ModelView,
  chunks: readonly Int32Array[],
  imatrix?: PlannedImatrix,
): Promise<SensitivitySettings> {
  const text = createHash('sha256');
  for (const chunk of chunks) text.update(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  return {
    model: await modelFingerprint(view),
    text: text.digest('hex'),
    chunks: chunks.length,
    contextTokens: chunks[0]!.length,
    imatrix: imatrix ? await imatrixHash(imatrix) : null,
  };
}

/** For the name of a file. */
export const settingsHash = (settings: SensitivitySettings): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('hex');

async function imatrixHash({ path, entries }: PlannedImatrix): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .update([...entries.keys()].sort().join('\n'))
    .digest('hex');
}

const inWords: Readonly<Record<keyof SensitivitySettings, string>> = {
  model: 'model',
  text: 'calibration text',
  chunks: 'number of chunks',
  contextTokens: 'context',
  imatrix: 'importance matrix',
};

/** @throws QuernError `refused-settings-differ` naming the settings that differ */
export function requireSameSettings(wanted: SensitivitySettings, found: SensitivitySettings, file: string): void {
  const keys = Object.keys(inWords) as (keyof SensitivitySettings)[];
  const differing = keys.filter((key) => wanted[key] !== found[key]).map((key) => inWords[key]);
  if (differing.length === 0) return;
  throw new QuernError(
    'refused-settings-differ',
    `The sensitivities were measured with another ${differing.join(', ')}.`,
    { file, remedy: 'Use the same settings, or give --sensitivity another file.' },
  );
}
