// HellaSwag as llama.cpp's tools take it: UTF-8, six lines per task: "activity: context", number of the right ending
// (0 … 3), four endings.
import type { ChoiceTask } from './choice-task.ts';
import { linesOf, taskDamaged } from './task-text.ts';

const linesPerTask = 6;

/** @throws QuernError `task-file-damaged` with the line, `text-not-utf8` */
export function readHellaSwag(bytes: Uint8Array, file: string): ChoiceTask[] {
  const lines = linesOf(bytes, file);
  if (lines.length === 0 || lines.length % linesPerTask !== 0)
    throw taskDamaged(file, `it has ${lines.length} lines, not a multiple of ${linesPerTask}`);
  return Array.from({ length: lines.length / linesPerTask }, (_, index) => {
    const first = index * linesPerTask;
    const [context, label, ...endings] = lines.slice(first, first + linesPerTask) as [string, string, ...string[]];
    if (!/^[0-3]$/.test(label.trim()))
      throw taskDamaged(file, `line ${first + 2} is ${JSON.stringify(label.slice(0, 40))}, not an ending from 0 to 3`);
    const empty = [context, label, ...endings].indexOf('');
    if (empty >= 0) throw taskDamaged(file, `line ${first + empty + 1} is empty`);
    return { choices: endings.map((ending) => ({ context, continuation: ` ${ending}` })), right: [Number(label)] };
  });
}
