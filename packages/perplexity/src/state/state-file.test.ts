import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeStates } from './merge.ts';
import type { EvaluationSettings } from './settings.ts';
import { EvaluationJournal, readState, tasksOf } from './state-file.ts';

const settings: EvaluationSettings = {
  profile: 'hf-stride',
  contextTokens: 64,
  strideTokens: 32,
  maxWindows: null,
  text: 'abc',
  base: 'def',
  activations: 'f32',
  tasks: { hellaswag: { sha256: '12', count: 2 } },
};
const shard = { index: 1, count: 1 };
const facts = { parameters: 5, fileBytes: 12, dataBytes: 10, bitsPerWeight: 16, windows: 2 };
const scores = (seed: number) => ({
  nll: Float32Array.of(seed, 0.1, 3.5),
  comparison: {
    baseNll: Float32Array.of(1, 2, seed),
    kld: Float32Array.of(-1e-7, seed, 0),
    sameTop: Uint8Array.of(1, 0, 1),
  },
});
const taskScore = { llama: [-1, -2], lmEval: [-3, -4], right: { llama: 1, acc: 0, accNorm: 1 } };

let folder: string;
let path: string;
let lines: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-state-'));
  path = join(folder, 'state');
  const journal = await EvaluationJournal.open(settings, shard, path);
  const record = await journal.record('a.gguf', 'f1', facts);
  await journal.addWindow(record, 0, scores(0.5));
  await journal.addWindow(record, 1, scores(0.25));
  for (const index of [0, 1]) await journal.addTask(record, 'hellaswag', index, taskScore);
  await journal.addWindow(await journal.record('b.gguf', 'f2', facts), 0, { nll: Float32Array.of(7) });
  await journal.close();
  lines = readFileSync(path, 'utf8').trimEnd().split('\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rewritten = (text: string): string => {
  const other = join(folder, 'other');
  writeFileSync(other, text);
  return other;
};

describe('a state file', () => {
  it('gives back what was put in, to the bit', async () => {
    const { models, ...head } = await readState(path);
    expect(head).toEqual({ settings, shard });
    const record = models.get('f1')!;
    expect(record).toMatchObject({ model: 'a.gguf', fingerprint: 'f1', facts });
    expect(record.windows).toEqual(new Map([0.5, 0.25].map((seed, i) => [i, scores(seed)])));
    expect([...tasksOf(record, 'hellaswag').values()]).toEqual([taskScore, taskScore]);
    expect(models.get('f2')!.windows.get(0)).toEqual({ nll: Float32Array.of(7) });
  });

  it('keeps what is whole when its writer dies at any byte', async () => {
    const whole = readFileSync(path);
    for (let size = lines[0]!.length + 1; size < whole.length; size += 37) {
      const cut = rewritten(whole.toString('utf8', 0, size));
      const journal = await EvaluationJournal.open(settings, shard, cut);
      await journal.record('c.gguf', 'f3', facts);
      await journal.close();
      const kept = readFileSync(cut, 'utf8').trimEnd().split('\n');
      expect(kept.slice(0, -1)).toEqual(lines.slice(0, kept.length - 1));
      expect(kept.length - 1).toBe(whole.toString('utf8', 0, size).split('\n').length - 1);
      expect((await readState(cut)).models.get('f3')!.model).toBe('c.gguf');
    }
  });

  const changes: Partial<EvaluationSettings>[] = [
    { profile: 'paper-2048' },
    { contextTokens: 65 },
    { strideTokens: 31 },
    { maxWindows: 4 },
    { text: 'abd' },
    { base: null },
    { activations: 'int8' },
    { cacheTypes: 'F16 Q8_0' },
    { tasks: { hellaswag: { sha256: '13', count: 2 } } },
    { tasks: {} },
  ];
  it.each(changes)('is not continued with %j', async (change) => {
    const open = EvaluationJournal.open({ ...settings, ...change }, shard, path);
    await expect(open).rejects.toMatchObject({ code: 'refused-settings-differ', file: path });
  });

  it('names the settings that differ in words', async () => {
    const open = EvaluationJournal.open({ ...settings, maxWindows: 4 }, shard, path);
    await expect(open).rejects.toMatchObject({ message: expect.stringContaining('limit of windows: none, not 4') });
  });

  it('is not continued as another shard', async () => {
    const open = EvaluationJournal.open(settings, { index: 1, count: 2 }, path);
    await expect(open).rejects.toMatchObject({ code: 'refused-settings-differ' });
  });

  const withLine = (index: number, line: string) => `${lines.with(index, line).join('\n')}\n`;
  const changed = (index: number, change: object) =>
    withLine(index, JSON.stringify({ ...JSON.parse(lines[index]!), ...change }));
  const damaged: [name: string, text: () => string, code: string][] = [
    ['of another kind', () => 'GGUF\n', 'state-not-recognized'],
    ['without a line', () => 'GGUF', 'state-not-recognized'],
    ['of another version', () => changed(0, { version: 2 }), 'state-not-recognized'],
    ['with broken settings', () => changed(0, { settings: { ...settings, tasks: 3 } }), 'state-not-recognized'],
    ['with a broken shard', () => changed(0, { shard: { index: 'x' } }), 'state-not-recognized'],
    ['with a line that is no JSON', () => withLine(2, '{"of":'), 'state-damaged'],
    ['with a model without facts', () => changed(1, { facts: {} }), 'state-damaged'],
    ['with a window of no model', () => changed(2, { of: 'f9' }), 'state-damaged'],
    ['with a window number that is none', () => changed(2, { window: -1 }), 'state-damaged'],
    ['with half a number', () => changed(2, { nll: 'AAA=' }), 'state-damaged'],
    ['with a NaN', () => changed(2, { nll: Buffer.alloc(12, 0xff).toString('base64') }), 'state-damaged'],
    ['with arrays of different lengths', () => changed(2, { kld: 'AAAAAA==' }), 'state-damaged'],
    ['with an unknown task', () => changed(4, { task: 'chess' }), 'state-damaged'],
    ['with a broken score', () => changed(4, { score: { llama: [1] } }), 'state-damaged'],
  ];
  it.each(damaged)('%s is refused by name', async (_, text, code) => {
    const file = rewritten(text());
    await expect(readState(file)).rejects.toMatchObject({ code, file });
  });
});

describe('merging', () => {
  async function part(index: number, windows: number[], tasks: number[], change: Partial<EvaluationSettings> = {}) {
    const journal = await EvaluationJournal.open({ ...settings, ...change }, { index, count: 2 });
    const record = await journal.record('a.gguf', 'f1', facts);
    for (const window of windows) await journal.addWindow(record, window, scores(window));
    for (const task of tasks) await journal.addTask(record, 'hellaswag', task, taskScore);
    return { file: `part${index}`, state: journal.state };
  }

  it('puts windows and tasks in order, whatever the order of the parts', async () => {
    const { models } = mergeStates([await part(2, [1], [1]), await part(1, [0], [0])]);
    const record = models.get('f1')!;
    expect([...record.windows.keys()]).toEqual([0, 1]);
    expect(record.windows.get(1)).toEqual(scores(1));
    expect([...tasksOf(record, 'hellaswag').keys()]).toEqual([0, 1]);
  });

  it('refuses what is missing, double, or of another evaluation', async () => {
    const whole = await part(1, [0, 1], [0, 1]);
    const merge =
      (...others: (typeof whole)[]) =>
      () =>
        mergeStates(others);
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(merge(await part(1, [0], [0, 1]))).toThrow(code('refused-parts-missing'));
    expect(merge(await part(1, [0, 1], [0]))).toThrow(code('refused-parts-missing'));
    expect(merge(whole, await part(2, [1], []))).toThrow(code('refused-part-twice'));
    expect(merge(whole, await part(2, [], [1]))).toThrow(code('refused-part-twice'));
    expect(merge(whole, await part(2, [], [], { contextTokens: 65 }))).toThrow(code('refused-settings-differ'));
    expect(merge(whole)).not.toThrow();
  });
});
