// The three formats of task files: what they hold, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readHellaSwag } from './hellaswag.ts';
import { readMultipleChoice } from './multiple-choice.ts';
import { readTaskSet } from './read-task-set.ts';
import { readWinogrande } from './winogrande.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const damaged = (message: RegExp) =>
  expect.objectContaining({ code: 'task-file-damaged', message: expect.stringMatching(message), file: 'f' });

describe('HellaSwag', () => {
  const lines = ['Cooking: He takes a pan. He', '1', 'flies.', 'puts it on the fire.', 'sings.', 'sleeps.'];

  it('is six lines per task, with or without a newline at the end, of either kind', () => {
    const [task] = readHellaSwag(utf8(lines.join('\n')), 'f');
    expect(task!.right).toEqual([1]);
    expect(task!.choices[3]).toEqual({ context: 'Cooking: He takes a pan. He', continuation: ' sleeps.' });
    expect(readHellaSwag(utf8(`${lines.join('\r\n')}\r\n`), 'f')).toEqual([task]);
    expect(readHellaSwag(utf8([...lines, ...lines].join('\n')), 'f')).toHaveLength(2);
  });

  it.each([
    ['', /0 lines/],
    [lines.slice(1).join('\n'), /5 lines/],
    [lines.with(1, '4').join('\n'), /line 2 is "4"/],
    [lines.with(1, '1.5').join('\n'), /line 2/],
    [lines.with(3, '').join('\n'), /line 4 is empty/],
  ])('refuses %j', (text, message) => {
    expect(() => readHellaSwag(utf8(text), 'f')).toThrow(damaged(message));
  });
});

describe('Winogrande', () => {
  it('is CSV whose quoted fields may hold commas and quotes', () => {
    const [task] = readWinogrande(utf8('7,"A, ""big"" _ fell, again.",cup,jug,2\n'), 'f');
    expect(task).toEqual({
      right: [1],
      choices: [
        { context: 'A, "big" cup', continuation: ' fell, again.' },
        { context: 'A, "big" jug', continuation: ' fell, again.' },
      ],
      lmEvalChoices: [
        { context: 'A, "big" cup', continuation: ' fell, again.' },
        { context: 'A, "big" jug', continuation: ' fell, again.' },
      ],
    });
  });

  it.each([
    ['', /no lines/],
    ['0,a _ b,c,d', /line 1 does not have five/],
    ['0,a _ b,c,d,1\n0,a b,c,d,1', /line 2 has no _/],
    ['0,a _ b,,d,1', /empty choice/],
    ['0,a _ b,c,d,3', /answer "3"/],
    ['0,"a _ b,c,d,1', /line 1 does not have five/],
    ['0,"a _" b,c,d,1', /line 1 does not have five/],
    ['0,a _ b,c,d,1,2', /line 1 does not have five/],
  ])('refuses %j', (text, message) => {
    expect(() => readWinogrande(utf8(text), 'f')).toThrow(damaged(message));
  });
});

describe('multiple choice', () => {
  const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
  const text = (value: string): number[] => [...u32(utf8(value).length), ...utf8(value)];
  const answers = (list: string[], labels: number[]) => [
    ...u32(list.length),
    ...list.flatMap(text),
    ...labels.flatMap(u32),
  ];
  const task = [...text('Wer?'), ...answers(['ich', 'dü'], [0, 1]), ...answers(['a', 'b'], [1, 1])];
  const file = Uint8Array.from([...u32(1), ...u32(8), ...task]);

  it('is a table of positions and tasks', () => {
    expect(readMultipleChoice(file, 'f')).toEqual([
      {
        right: [1],
        choices: [
          { context: 'Wer?', continuation: ' ich' },
          { context: 'Wer?', continuation: ' dü' },
        ],
      },
    ]);
  });

  it.each([
    ['cut', file.subarray(0, -1), /ends 1 bytes early|number|label/],
    ['with more behind', Uint8Array.of(...file, 0), /1 bytes follow/],
    ['without tasks', Uint8Array.from(u32(0)), /number of tasks is 0/],
    ['with more tasks than bytes', file.with(3, 0x7f), /number of tasks/],
    ['with a text beyond the end', file.with(9, 0xff), /text length/],
    ['with a label that is none', file.with(8 + 8 + 4 + 7 + 7, 2), /label of an answer is 2/],
    ['without a right answer', file.with(8 + 8 + 4 + 7 + 7 + 4, 0), /lacks/],
    ['with a text that is not UTF-8', file.with(12, 0xff), /not UTF-8/],
  ])('refuses a file %s', (_, bytes, message) => {
    expect(() => readMultipleChoice(bytes, 'f')).toThrow(damaged(message));
  });

  it('never fails in another way, whatever byte changes', () => {
    fc.assert(
      fc.property(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 }), (place, byte) => {
        try {
          readMultipleChoice(file.with(place, byte), 'f');
        } catch (error) {
          expect(error).toMatchObject({ code: 'task-file-damaged' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('readTaskSet', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'quern-tasks-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the first tasks only, when asked to', async () => {
    const path = join(folder, 'w.csv');
    writeFileSync(path, '0,a _ b,c,d,1\n1,e _ f,g,h,2\n');
    expect((await readTaskSet('winogrande', path)).tasks).toHaveLength(2);
    expect((await readTaskSet('winogrande', path, 1)).tasks).toHaveLength(1);
  });

  it('refuses bytes that are no text', async () => {
    const path = join(folder, 'h.txt');
    writeFileSync(path, Buffer.from([0xff, 0xfe]));
    await expect(readTaskSet('hellaswag', path)).rejects.toMatchObject({ code: 'text-not-utf8', file: path });
  });
});
