// A task file, by the name of its set.
import { QuernError } from '@quern/errors';
import { openFile } from '@quern/source';
import type { ChoiceTask, LlamaRule, TaskName, TaskSet } from './choice-task.ts';
import { readHellaSwag } from './hellaswag.ts';
import { readMultipleChoice } from './multiple-choice.ts';
import { readWinogrande } from './winogrande.ts';

/** The largest public set has 12 MB. */
const maxFileBytes = 256 * 2 ** 20;

const formats: Record<TaskName, { rule: LlamaRule; read(bytes: Uint8Array, file: string): ChoiceTask[] }> = {
  hellaswag: { rule: 'ending', read: readHellaSwag },
  winogrande: { rule: 'suffix', read: readWinogrande },
  'multiple-choice': { rule: 'ending', read: readMultipleChoice },
};

/**
 * @param maxTasks the first so many only
 * @returns also the bytes, to tell one file from another
 * @throws QuernError `task-file-too-large`, `task-file-damaged`, `text-not-utf8`, those of `openFile`
 */
export async function readTaskSet(
  name: TaskName,
  path: string,
  maxTasks = Number.POSITIVE_INFINITY,
): Promise<TaskSet & { bytes: Uint8Array }> {
  const source = await openFile(path);
  try {
    if (source.size > maxFileBytes)
      throw new QuernError(
        'task-file-too-large',
        `The task file has ${source.size} bytes, more than ${maxFileBytes}.`,
        {
          file: path,
          remedy: 'Split it.',
        },
      );
    const bytes = await source.read(0, source.size);
    const { rule, read } = formats[name];
    return { name, rule, tasks: read(bytes, path).slice(0, maxTasks), bytes };
  } finally {
    await source.close();
  }
}
