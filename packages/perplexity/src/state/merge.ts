// State files of the shards of one evaluation, put together: the windows of each model in their order, so that every
// figure has the same bits as if one machine had measured them all.
import { QuernError } from '@quern/errors';
import { taskNames } from '../tasks/choice-task.ts';
import type { ModelRecord } from './model-record.ts';
import { type EvaluationSettings, requireSameSettings } from './settings.ts';
import { type EvaluationState, tasksOf } from './state-file.ts';

export interface NamedState {
  readonly file: string;
  readonly state: EvaluationState;
}

/**
 * @throws QuernError `refused-settings-differ`, `refused-part-twice` (a window in two files), `refused-parts-missing`
 *   with the model and what it lacks
 */
export function mergeStates(parts: readonly NamedState[]): EvaluationState {
  const { settings } = parts[0]!.state;
  const models = new Map<string, ModelRecord>();
  for (const { file, state } of parts) {
    requireSameSettings(settings, state.settings, file);
    for (const part of state.models.values()) {
      const found = models.get(part.fingerprint);
      const record = found ?? { ...part, windows: new Map(), tasks: new Map() };
      models.set(part.fingerprint, record);
      add(record.windows, part.windows, 'window', record.model, file);
      for (const [name, scores] of part.tasks) add(tasksOf(record, name), scores, name, record.model, file);
    }
  }
  for (const [fingerprint, record] of models) models.set(fingerprint, complete(record, settings));
  return { settings, shard: { index: 1, count: 1 }, models };
}

function complete(record: ModelRecord, settings: EvaluationSettings): ModelRecord {
  const { model, facts } = record;
  const tasks: ModelRecord['tasks'] = new Map();
  for (const name of taskNames) {
    const set = settings.tasks[name];
    if (set) tasks.set(name, sorted(tasksOf(record, name), set.count, name, model));
  }
  return { ...record, windows: sorted(record.windows, facts.windows, 'window', model), tasks };
}

function add<T>(into: Map<number, T>, from: ReadonlyMap<number, T>, what: string, model: string, file: string): void {
  for (const [index, value] of from) {
    if (into.has(index))
      throw new QuernError('refused-part-twice', `${what} ${index} of ${model} is in two of the files.`, { file });
    into.set(index, value);
  }
}

function sorted<T>(found: ReadonlyMap<number, T>, total: number, what: string, model: string): Map<number, T> {
  const all = new Map<number, T>();
  for (let index = 0; index < total; index++) {
    const value = found.get(index);
    if (value === undefined)
      throw new QuernError(
        'refused-parts-missing',
        `${what} ${index} of ${model} is in none of the files; they have ${found.size} of ${total}.`,
        { remedy: 'Finish all shards first, and name all their files.' },
      );
    all.set(index, value);
  }
  return all;
}
