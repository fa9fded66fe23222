// Winogrande as llama.cpp's tools take it: CSV without a head, one task per line:
//   index,sentence with one _,choice 1,choice 2,answer (1 or 2)
// Fields may be quoted, with "" for a quote.
import type { ChoiceTask } from './choice-task.ts';
import { linesOf, taskDamaged } from './task-text.ts';

/** @throws QuernError `task-file-damaged` with the line, `text-not-utf8` */
export function readWinogrande(bytes: Uint8Array, file: string): ChoiceTask[] {
  const lines = linesOf(bytes, file);
  if (lines.length === 0) throw taskDamaged(file, 'it has no lines');
  return lines.map((line, i) => {
    const broken = (what: string) => taskDamaged(file, `line ${i + 1} ${what}`);
    const fields = fieldsOf(line);
    if (fields?.length !== 5) throw broken('does not have five fields');
    const [, sentence, first, second, answer] = fields as [string, string, string, string, string];
    const gap = sentence.indexOf('_');
    if (gap < 0) throw broken('has no _ in its sentence');
    if (first === '' || second === '') throw broken('has an empty choice');
    if (!/^\s*[12]\s*$/.test(answer)) throw broken(`has the answer ${JSON.stringify(answer.slice(0, 40))}, not 1 or 2`);
    const before = sentence.slice(0, gap);
    const after = sentence.slice(gap + 1);
    const contexts = [first, second].map((choice) => before + choice);
    return {
      choices: contexts.map((context) => ({ context, continuation: after })),
      right: [Number(answer) - 1],
      lmEvalChoices: contexts.map((context) => ({ context, continuation: ` ${after.trim()}` })),
    };
  });
}

/** Undefined when a quote is not closed, or text follows one. */
function fieldsOf(line: string): string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",][^,]*)?)(,|$)/.exec(rest);
    if (!match) return undefined;
    const [whole, quoted, plain, end] = match;
    fields.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '') return fields;
    rest = rest.slice(whole.length);
  }
}
