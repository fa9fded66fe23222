// A state file: what an evaluation has measured, one JSON object per line, appended as it goes, so that a run that dies
// loses the window at work and no more. Arrays of numbers are base64 of little-endian bytes.
//   {"quern":"evaluation","version":1,"settings":{…},"shard":{"index":1,"count":2}}
//   {"model":"a.gguf","fingerprint":"…","facts":{…}}
//   {"of":"…fingerprint","window":0,"nll":f32[],"baseNll":f32[],"kld":f32[],"sameTop":u8[]}     the last three with a base
//   {"of":"…fingerprint","task":"hellaswag","index":0,"score":{…}}
// A last line without its newline is what a dead process left: it does not count.
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import { writeError } from '@quern/source';
import { type TaskName, taskNames } from '../tasks/choice-task.ts';
import type { TaskScore } from '../tasks/score-task.ts';
import type { WindowScores } from '../window-scores.ts';
import type { Shard } from '../windows/window-plan.ts';
import type { ModelFacts, ModelRecord } from './model-record.ts';
import { type EvaluationSettings, requireSameSettings } from './settings.ts';

const version = 1;
/** A million scored tokens of ten models are 170 MB. */
const maxFileBytes = 2 ** 30;

export interface EvaluationState {
  readonly settings: EvaluationSettings;
  readonly shard: Shard;
  /** By fingerprint. */
  readonly models: Map<string, ModelRecord>;
}

/** @throws QuernError `state-not-recognized`, `state-damaged` with the line, `state-too-large` */
export async function readState(path: string): Promise<EvaluationState> {
  return (await parseState(path)).state;
}

async function parseState(path: string): Promise<{ state: EvaluationState; wholeBytes: number }> {
  const { size } = await stat(path).catch((cause: Error) => {
    throw new QuernError('state-unreadable', `The state file cannot be read: ${cause.message}.`, { file: path, cause });
  });
  if (size > maxFileBytes)
    throw new QuernError('state-too-large', `The state file has ${size} bytes, more than ${maxFileBytes}.`, {
      file: path,
    });
  const bytes = await readFile(path);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.toString('utf8', 0, wholeBytes).split('\n').slice(0, -1);
  const state = headOf(lines[0], path);
  for (const [i, line] of lines.entries()) if (i > 0) addLine(state, line, i + 1, path);
  return { state, wholeBytes };
}

function headOf(line: string | undefined, file: string): EvaluationState {
  const head = line === undefined ? undefined : jsonObject(line);
  const { settings, shard } = head ?? {};
  if (head?.quern !== 'evaluation' || head.version !== version || !isSettings(settings) || !isShard(shard))
    throw new QuernError('state-not-recognized', 'The file is no state of an evaluation of this version.', {
      file,
      remedy: 'Give another name to --state.',
    });
  return { settings, shard, models: new Map() };
}

function addLine({ models }: EvaluationState, line: string, number: number, file: string): void {
  const damaged = (what: string): QuernError =>
    new QuernError('state-damaged', `Line ${number} of the state file ${what}.`, {
      file,
      remedy: 'Delete the file and start over.',
    });
  const entry = jsonObject(line);
  if (!entry) throw damaged('is no JSON object');
  if (typeof entry.model === 'string') {
    const { model, fingerprint, facts } = entry;
    if (typeof fingerprint !== 'string' || !isFacts(facts)) throw damaged('describes no model');
    models.set(fingerprint, { model, fingerprint, facts, windows: new Map(), tasks: new Map() });
    return;
  }
  const record = models.get(String(entry.of));
  if (!record) throw damaged('belongs to no model');
  if (entry.task === undefined) {
    const scores = windowScoresOf(entry);
    if (!isIndex(entry.window) || !scores) throw damaged('holds no scores of a window');
    record.windows.set(entry.window, scores);
    return;
  }
  const task = taskNames.find((name) => name === entry.task);
  if (!task || !isIndex(entry.index) || !isTaskScore(entry.score)) throw damaged('holds no scores of a task');
  tasksOf(record, task).set(entry.index, entry.score);
}

function windowScoresOf(entry: Record<string, unknown>): WindowScores | undefined {
  const nll = floats(entry.nll);
  if (!nll || nll.length === 0) return undefined;
  if (entry.kld === undefined) return { nll };
  const baseNll = floats(entry.baseNll);
  const kld = floats(entry.kld);
  const sameTop = typeof entry.sameTop === 'string' ? Uint8Array.from(Buffer.from(entry.sameTop, 'base64')) : undefined;
  if (baseNll?.length !== nll.length || kld?.length !== nll.length || sameTop?.length !== nll.length) return undefined;
  return { nll, comparison: { baseNll, kld, sameTop } };
}

function floats(text: unknown): Float32Array | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  const values = bytes.length % 4 === 0 ? new Float32Array(bytes.buffer) : undefined;
  return values?.every(Number.isFinite) ? values : undefined;
}

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isShard = (value: unknown): value is Shard => isObject(value) && isIndex(value.index) && isIndex(value.count);

const isSettings = (value: unknown): value is EvaluationSettings =>
  isObject(value) &&
  ['profile', 'text', 'base'].every((key) => value[key] === null || typeof value[key] === 'string') &&
  ['contextTokens', 'strideTokens', 'maxWindows'].every((key) => value[key] === null || isIndex(value[key])) &&
  typeof value.activations === 'string' &&
  ['string', 'undefined'].includes(typeof (value.cacheTypes ?? undefined)) &&
  isObject(value.tasks) &&
  Object.values(value.tasks).every((task) => isObject(task) && typeof task.sha256 === 'string' && isIndex(task.count));

const isFacts = (value: unknown): value is ModelFacts =>
  isObject(value) &&
  ['parameters', 'fileBytes', 'dataBytes', 'bitsPerWeight', 'windows'].every((key) => typeof value[key] === 'number');

const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'number');

const isTaskScore = (value: unknown): value is TaskScore =>
  isObject(value) &&
  isNumbers(value.llama) &&
  isNumbers(value.lmEval) &&
  isObject(value.right) &&
  ['llama', 'acc', 'accNorm'].every((key) => [0, 1].includes((value.right as Record<string, number>)[key]!));

function jsonObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function tasksOf(record: ModelRecord, name: TaskName): Map<number, TaskScore> {
  let scores = record.tasks.get(name);
  if (!scores) record.tasks.set(name, (scores = new Map()));
  return scores;
}

/** Where an evaluation keeps what it measures: in memory, and in a file when the user wants one. */
export class EvaluationJournal {
  readonly state: EvaluationState;
  readonly #path?: string;
  readonly #file?: FileHandle;

  private constructor(state: EvaluationState, path?: string, file?: FileHandle) {
    this.state = state;
    this.#path = path;
    this.#file = file;
  }

  /**
   * @param path goes on with this file if it exists
   * @throws QuernError `refused-settings-differ`, those of `readState`, `disk-full`, `write-denied`, `write-failed`
   */
  static async open(settings: EvaluationSettings, shard: Shard, path?: string): Promise<EvaluationJournal> {
    const fresh: EvaluationState = { settings, shard, models: new Map() };
    if (path === undefined) return new EvaluationJournal(fresh);
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    const found = size > 0 ? await parseState(path) : undefined;
    if (found) requireSameSettings({ ...settings, shard }, { ...found.state.settings, shard: found.state.shard }, path);
    const file = await open(path, 'a').catch((cause) => {
      throw writeError(path, 0, cause);
    });
    const journal = new EvaluationJournal(found?.state ?? fresh, path, file);
    if (found) await file.truncate(found.wholeBytes);
    else await journal.#append({ quern: 'evaluation', version, settings, shard });
    return journal;
  }

  /** The record of a model, begun if there is none. */
  async record(model: string, fingerprint: string, facts: ModelFacts): Promise<ModelRecord> {
    const found = this.state.models.get(fingerprint);
    if (found) return found;
    const record: ModelRecord = { model, fingerprint, facts, windows: new Map(), tasks: new Map() };
    this.state.models.set(fingerprint, record);
    await this.#append({ model, fingerprint, facts });
    return record;
  }

  async addWindow(record: ModelRecord, window: number, scores: WindowScores): Promise<void> {
    record.windows.set(window, scores);
    const { nll, comparison } = scores;
    await this.#append({
      of: record.fingerprint,
      window,
      nll: base64(nll),
      ...(comparison && {
        baseNll: base64(comparison.baseNll),
        kld: base64(comparison.kld),
        sameTop: base64(comparison.sameTop),
      }),
    });
  }

  async addTask(record: ModelRecord, task: TaskName, index: number, score: TaskScore): Promise<void> {
    tasksOf(record, task).set(index, score);
    await this.#append({ of: record.fingerprint, task, index, score });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #append(entry: unknown): Promise<void> {
    if (!this.#file) return;
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    for (let done = 0; done < line.length; ) {
      const { bytesWritten } = await this.#file.write(line, done).catch((cause) => {
        throw writeError(this.#path!, line.length, cause);
      });
      done += bytesWritten;
    }
  }
}
