// Task scores of `quern eval` against ones computed here from llama.cpp's logits and tokens, by llama.cpp's rule and by
// lm-eval's, and against those that llama-perplexity printed (eval-data/winogrande.tsv); and its base file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NativeModel, openNativeModel, oracleUnavailable } from '@quern/test-oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, runCommand } from './cli-fixture.ts';

const data = join(import.meta.dirname, 'eval-data');
let folder: string;
let model: string;
const scores = new Map<string, { llama: number[]; lmEval: number[]; right: Record<string, number> }>();
let results: { models: [{ tasks: { name: string; llama: { right: number; tasks: number } }[] }] };

const multipleChoice = [
  { question: 'The colour of the grass in spring is', answers: ['green.', 'a red house by the sea.'], right: 0 },
  { question: 'At night the sky is full of', answers: ['bread.', 'stars.', 'ink and paper, my lord.'], right: 1 },
  { question: 'She', answers: ['was the queen of the country.', 'is.'], right: 0 },
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-tasks-'));
  model = join(folder, 'f32.gguf');
  await runCommand('convert', join(root, 'test/models/tiny-llama'), '--type', 'f32', '-o', model);
  writeFileSync(join(folder, 'choices.bin'), multipleChoiceFile());
  const { stdout, stderr, code } = await runCommand(
    ...['eval', model, '--state', join(folder, 'state'), '--json', '-q'],
    ...['--hellaswag', join(data, 'hellaswag.txt'), '--winogrande', join(data, 'winogrande.csv')],
    ...['--multiple-choice', join(folder, 'choices.bin')],
  );
  if (code !== 0) throw new Error(stderr || stdout);
  results = JSON.parse(stdout);
  for (const line of readFileSync(join(folder, 'state'), 'utf8').trim().split('\n')) {
    const { task, index, score } = JSON.parse(line);
    if (task) scores.set(`${task} ${index}`, score);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function multipleChoiceFile(): Buffer {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const text = (value: string) => [u32(Buffer.byteLength(value)), Buffer.from(value)];
  const answers = (list: string[], right: number) => [
    u32(list.length),
    ...list.flatMap(text),
    ...list.map((_, i) => u32(i === right ? 1 : 0)),
  ];
  const tasks = multipleChoice.map((task) =>
    Buffer.concat([...text(task.question), ...answers(task.answers, task.right), ...answers(['x'], 0)]),
  );
  return Buffer.concat([u32(tasks.length), ...tasks.map(() => u32(0)), ...tasks]);
}

describe.skipIf(oracleUnavailable)('scores by llama.cpp’s logits', () => {
  let native: NativeModel;
  beforeAll(() => {
    native = openNativeModel(model);
  });
  afterAll(() => native.close());

  /** log p of every token given those before it; the first has none. */
  function logProbs(ids: number[]): number[] {
    const logits = native.logits(ids);
    return ids.map((id, i) => {
      if (i === 0) return Number.NaN;
      const row = Array.from(logits.subarray((i - 1) * native.vocabSize, i * native.vocabSize));
      const max = Math.max(...row);
      return row[id]! - max - Math.log(row.reduce((sum, value) => sum + Math.exp(value - max), 0));
    });
  }

  function llamaScores(texts: string[]): number[] {
    const sequences = texts.map((text) => native.tokenize(text, { addSpecial: true }));
    const common = sequences[0]!.findIndex((id, i) => sequences.some((ids) => ids[i] !== id));
    return sequences.map((ids) => {
      const scored = logProbs(ids).slice(common);
      return scored.reduce((sum, value) => sum + value, 0) / scored.length;
    });
  }

  function lmEvalScore(context: string, continuation: string): number {
    const from = native.tokenize(context).length;
    return logProbs(native.tokenize(context + continuation))
      .slice(from)
      .reduce((sum, value) => sum + value, 0);
  }

  const expectClose = (found: number[], wanted: number[]) => {
    expect(found).toHaveLength(wanted.length);
    for (const [i, value] of wanted.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(2e-4);
  };

  it('HellaSwag', () => {
    const lines = readFileSync(join(data, 'hellaswag.txt'), 'utf8').trim().split('\n');
    for (let index = 0; index * 6 < lines.length; index++) {
      const [context, label, ...endings] = lines.slice(6 * index, 6 * index + 6) as [string, string, ...string[]];
      const { llama, lmEval, right } = scores.get(`hellaswag ${index}`)!;
      const sums = endings.map((ending) => lmEvalScore(context, ` ${ending}`));
      const means = llamaScores(endings.map((ending) => `${context} ${ending}`));
      expectClose(llama, means);
      expectClose(lmEval, sums);
      const chosen = (values: number[]) => (values.indexOf(Math.max(...values)) === Number(label) ? 1 : 0);
      const perCharacter = sums.map((sum, i) => sum / endings[i]!.length);
      expect(right).toEqual({ llama: chosen(means), acc: chosen(sums), accNorm: chosen(perCharacter) });
    }
  });

  it('multiple choice', () => {
    for (const [index, { question, answers, right }] of multipleChoice.entries()) {
      const score = scores.get(`multiple-choice ${index}`)!;
      const means = llamaScores(answers.map((answer) => `${question} ${answer}`));
      expectClose(score.llama, means);
      expectClose(
        score.lmEval,
        answers.map((answer) => lmEvalScore(question, ` ${answer}`)),
      );
      expect(score.right.llama).toBe(means.indexOf(Math.max(...means)) === right ? 1 : 0);
    }
  });

  it('Winogrande as lm-eval scores it', () => {
    for (const [index, line] of readFileSync(join(data, 'winogrande.csv'), 'utf8').trim().split('\n').entries()) {
      if (line.includes('"')) continue; // this split knows no quotes
      const [, sentence, first, second] = line.split(',') as [string, string, string, string];
      const [before, after] = sentence.split('_') as [string, string];
      const wanted = [first, second].map((choice) => lmEvalScore(before + choice, ` ${after.trim()}`));
      expectClose(scores.get(`winogrande ${index}`)!.lmEval, wanted);
    }
  });
});

it('Winogrande scores are those that llama-perplexity printed', () => {
  const lines = readFileSync(join(data, 'winogrande.tsv'), 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split('\t').map(Number) as [number, number, number, number, number]);
  for (const [index, first, second, answer, right] of rows) {
    const { llama, right: ours } = scores.get(`winogrande ${index}`)!;
    if (index === 6) continue; // llama.cpp leaves "" in a quoted sentence as it is
    expect(Math.abs(llama[0]! - first)).toBeLessThan(5e-4);
    expect(Math.abs(llama[1]! - second)).toBeLessThan(5e-4);
    expect(ours.llama).toBe(answer === right ? 1 : 0);
  }
});

it('the shares count the right answers', () => {
  for (const { name, llama } of results.models[0].tasks) {
    const own = [...scores].filter(([key]) => key.startsWith(name)).map(([, { right }]) => right.llama!);
    expect([llama.right, llama.tasks]).toEqual([own.reduce((sum, value) => sum + value, 0), own.length]);
  }
});

it('reads the base file that llama-perplexity wrote, and writes the same', async () => {
  const recorded = join(data, 'llama.cpp-base.kld');
  const ours = join(folder, 'ours.kld');
  const text = ['--text', join(data, 'base-text.txt'), '--ctx-size', '8', '--json', '-q'];
  await runCommand('eval', '--base', model, '--save-base', ours, ...text);
  const { stdout } = await runCommand('eval', model, '--base-file', recorded, '--json', '-q');
  const { divergence, ppl } = JSON.parse(stdout).models[0];
  expect(divergence.basePpl.value).toBeCloseTo(39.4318, 3);
  expect(divergence.basePpl.error).toBeCloseTo(36.56217, 2);
  expect(ppl).toBeCloseTo(39.4318, 2);
  expect(Math.abs(divergence.kld.value)).toBeLessThan(1e-5);
  expect(divergence.sameTop.value).toBe(1);

  const [a, b] = [readFileSync(recorded), readFileSync(ours)];
  const [context, vocab, windows] = [8, 12, 16].map((offset) => a.readInt32LE(offset)) as [number, number, number];
  const rows = 20 + 4 * context * windows;
  expect(b.subarray(0, rows).equals(a.subarray(0, rows))).toBe(true);
  expect(b.length).toBe(a.length);
  for (let row = rows; row < a.length; row += 8 + 2 * vocab) {
    const value = (file: Buffer, i: number) =>
      file.readFloatLE(row) * file.readUInt16LE(row + 8 + 2 * i) + file.readFloatLE(row + 4);
    for (let i = 0; i < vocab; i++) expect(Math.abs(value(b, i) - value(a, i))).toBeLessThan(3e-3);
  }
});
