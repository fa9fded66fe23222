// The flags of `quern quantize`, `quern convert` and `quern merge` as a person meets them: what is refused, with which
// exit code and words; parts and merging; verifying; measuring an importance matrix on the way.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGguf } from '@quern/gguf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSplitGguf } from '../golden/split-gguf.ts';
import { writeSyntheticGguf } from '../golden/synthetic-gguf.ts';
import { briefCommand, type CommandResult, root, runCommand } from './cli-fixture.ts';

const tinyLlama = join(root, 'test/models/tiny-llama');
const tinyGguf = join(tinyLlama, 'expected/llama.cpp-bf16.gguf');
const imatrix = join(tinyLlama, 'expected/imatrix.gguf');
let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-quantize-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quantize = (...args: string[]): Promise<CommandResult> => runCommand('quantize', tinyGguf, ...args);
const refused = (...args: string[]): Promise<CommandResult> => briefCommand('quantize', tinyGguf, ...args);
const same = (a: string, b: string): boolean => readFileSync(at(a)).equals(readFileSync(at(b)));

describe('parts', () => {
  test('of all shards merge to the bytes of a single run; a job that runs again leaves its part', async () => {
    const args = ['--type', 'Q4_K_M', '--imatrix', imatrix, '-o'];
    expect(await quantize(...args, at('whole.gguf'))).toMatchObject({ code: 0 });
    for (const i of [3, 1, 4, 2]) {
      const { code } = await quantize(...args, at('sharded.gguf'), '--shard', `${i}/4`, '--threads', String(i));
      expect(code).toBe(0);
    }
    const again = await quantize(...args, at('sharded.gguf'), '--shard', '2/4');
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('is complete: left as it is') });

    const parts = readdirSync(folder).filter((name) => name.startsWith('sharded.gguf.part-'));
    expect(parts).toEqual([1, 2, 3, 4].map((i) => `sharded.gguf.part-0000${i}-of-00004`));
    const some = await runCommand('merge', at('sharded.gguf'), ...parts.slice(1, 3).map(at));
    expect(some).toMatchObject({ code: 1, stderr: expect.stringContaining('Shards 1, 4 of 4 are missing') });
    expect(await runCommand('merge', at('sharded.gguf'), ...parts.reverse().map(at))).toMatchObject({ code: 0 });
    expect(same('sharded.gguf', 'whole.gguf')).toBe(true);
  });

  test('of another command do not fit, and a damaged one is recognized', async () => {
    for (const [type, shard] of [
      ['Q8_0', '1/2'],
      ['Q4_0', '2/2'],
    ] as const)
      expect(await quantize('--type', type, '-o', at('mixed.gguf'), '--shard', shard)).toMatchObject({ code: 0 });
    const [one, two] = [at('mixed.gguf.part-00001-of-00002'), at('mixed.gguf.part-00002-of-00002')];
    expect((await briefCommand('merge', at('mixed.gguf'), one, two)).stderr).toMatch(/belongs to another file/);
    expect((await briefCommand('merge', at('mixed.gguf'), one, one)).stderr).toMatch(/given twice/);
    writeFileSync(two, readFileSync(two).subarray(0, -1));
    expect((await briefCommand('merge', at('mixed.gguf'), one, two)).stderr).toMatch(/no part that quern wrote/);
    expect((await briefCommand('merge', at('mixed.gguf'), tinyGguf, one)).stderr).toMatch(/no part that quern wrote/);
  });

  test.each(['0/4', '5/4', '4', '1/x'])('--shard %s is a usage error', async (shard) => {
    expect(await refused('--type', 'Q8_0', '-o', at('bad.gguf'), '--shard', shard)).toMatchObject({ code: 2 });
  });

  test('a split model is joined', async () => {
    const files = await writeSplitGguf(at('split'), { layers: 3 }, 3);
    expect(await runCommand('merge', at('joined.gguf'), files[1]!)).toMatchObject({ code: 0 });
    const [joined, before] = await Promise.all([openGguf(at('joined.gguf')), openGguf(files[0]!)]);
    expect([...joined.tensors.keys()]).toEqual([...before.tensors.keys()]);
    for (const { name, source, offset, byteLength } of before.tensors.values()) {
      const there = joined.tensors.get(name)!;
      const bytes = await there.source.read(there.offset, there.byteLength);
      expect(Buffer.compare(bytes, await source.read(offset, byteLength))).toBe(0);
    }
    await Promise.all([joined.close(), before.close()]);
  });
});

describe('--verify', () => {
  test('tells errors per tensor, as text and as JSON', async () => {
    const text = await quantize('--type', 'Q8_0', '-o', at('verified.gguf'), '--verify');
    expect(text).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^blk\.0\.attn_k\.weight +BF16 +Q8_0 +0\.00/m),
    });
    const json = await quantize('--type', 'Q4_0', '-o', at('verified4.gguf'), '--verify', '--json');
    const { verify } = JSON.parse(json.stdout) as { verify: { bound: number; tensors: Record<string, number>[] } };
    expect(verify.bound).toBe(1);
    expect(verify.tensors.length).toBe(38);
    for (const { relativeRmse, cosine, nonFinite } of verify.tensors) {
      expect(relativeRmse).toBeLessThan(0.12);
      expect(cosine).toBeGreaterThan(0.99);
      expect(nonFinite).toBe(0);
    }
  });

  test('above the bound ends with 3, names the worst tensor, and keeps the file', async () => {
    const { code, stderr } = await quantize('--type', 'Q4_0', '-o', at('bound.gguf'), '--verify', '0.01');
    expect(code).toBe(3);
    expect(stderr).toMatch(/tensors are no good; the worst: its relative RMSE is 0\.\d+, above 0\.01/);
    expect(readdirSync(folder)).toContain('bound.gguf');
    expect(await refused('--type', 'Q4_0', '-o', at('x.gguf'), '--verify', 'zero')).toMatchObject({ code: 2 });
  });
});

describe('importance', () => {
  const refusals: [name: string, args: string[], code: number, words: RegExp][] = [
    [
      'a type that needs a matrix, without one',
      ['--type', 'IQ2_XS'],
      3,
      /tensor blk\.0\.attn_k\.weight.*--imatrix FILE/,
    ],
    [
      'a tensor that needs it and is excluded',
      ['--type', 'Q2_K_S', '--imatrix', imatrix, '--exclude-weights', 'blk.1.ffn_up'],
      3,
      /tensor blk\.1\.ffn_up\.weight/,
    ],
    [
      'a partial matrix with --strict',
      ['--type', 'Q4_K_M', '--imatrix', imatrix, '--exclude-weights', 'ffn_down', '--strict'],
      3,
      /nothing about 4 of 38 tensors.*blk\.0\.ffn_down/,
    ],
    [
      'a part of a name that fits nothing',
      ['--type', 'Q4_K_M', '--imatrix', imatrix, '--include-weights', 'foo'],
      2,
      /'foo'/,
    ],
    [
      'include and exclude',
      ['--type', 'Q8_0', '--imatrix', imatrix, '--include-weights', 'attn', '--exclude-weights', 'ffn'],
      2,
      /exclude each other/,
    ],
    ['no matrix at all', ['--type', 'Q8_0', '--imatrix', tinyGguf], 1, /quern calibrate or llama-imatrix wrote/],
  ];
  test.each(refusals)('%s', async (_, args, code, words) => {
    const result = await refused(...args, '-o', at('refused.gguf'));
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(words) });
    expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  test('of another model is refused', async () => {
    await writeSyntheticGguf(at('other.gguf'), { layers: 4, cols: 512 });
    const result = await briefCommand('quantize', at('other.gguf'), '--type', 'Q4_K_M', '--imatrix', imatrix);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/256 sums; the tensor needs 512/) });
  });

  test('partial is told, and what was used stands in the metadata', async () => {
    const args = ['--type', 'Q4_K_M', '--imatrix', imatrix, '--include-weights', 'attn', '-o', at('partial.gguf')];
    const { code, stdout } = await quantize(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/used for 16 tensors/);
    expect(stdout).toMatch(/12 tensors are not in the importance matrix: blk\.0\.ffn_down\.weight/);
    const { metadata, close } = await openGguf(at('partial.gguf'));
    expect([...metadata].slice(-4)).toEqual([
      ['quantize.imatrix.file', { type: 'string', value: imatrix.slice(0, 127) }],
      ['quantize.imatrix.dataset', { type: 'string', value: 'calib.txt' }],
      ['quantize.imatrix.entries_count', { type: 'uint32', value: 16 }],
      ['quantize.imatrix.chunks_count', { type: 'uint32', value: expect.any(Number) }],
    ]);
    await close();
  });

  test('--imatrix auto plans without measuring in a dry run', async () => {
    const { code, stdout, stderr } = await quantize(
      '--type',
      'IQ3_M',
      '--imatrix',
      'auto',
      '-o',
      at('auto.gguf'),
      '--dry-run',
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/auto|imatrix-[0-9a-f]{8}\.gguf would be measured first/);
    expect(stdout).toMatch(/used for 28 tensors/);
  });
});

describe('flags', () => {
  const wrong: [string, string[], RegExp][] = [
    ['an expression that fits no tensor', ['--tensor-type', 'atn_v=Q8_0'], /'atn_v=Q8_0' fits no tensor/],
    ['no expression', ['--tensor-type', 'attn_v'], /no pattern before an equals sign/],
    ['a broken expression', ['--tensor-type', '(attn=Q8_0'], /no regular expression/],
    ['an unknown type', ['--tensor-type', 'attn_v=Q9_9'], /'Q9_9' is no type of weights/],
    ['an integer type', ['--output-tensor-type', 'I32'], /'I32' is no type of weights/],
    ['a layer that is not there', ['--prune-layers', '1,4'], /no layer 4/],
    ['all layers', ['--prune-layers', '0,1,2,3'], /No layer would be left/],
    ['metadata without a type', ['--override-kv', 'a.b=7'], /'a\.b=7' sets no metadata/],
    ['metadata beyond its type', ['--override-kv', 'a.b=int:4294967296'], /sets no metadata/],
    ['a shard of a split', ['--shard', '1/2', '--keep-split'], /goes with neither/],
  ];
  test.each(wrong)('%s is a usage error', async (_, args, words) => {
    const result = await refused('--type', 'Q4_K_M', '-o', at('wrong.gguf'), ...args);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringMatching(words) });
  });

  test('types from a file', async () => {
    writeFileSync(at('types.txt'), 'attn_v=Q8_0\n  blk\\.0\\.=Q5_1\nffn=Q4_1');
    const args = ['--type', 'Q4_K_M', '--dry-run', '--json', '-o', at('x.gguf')];
    const [long, short] = await Promise.all([
      quantize(...args, '--tensor-type-file', at('types.txt')),
      quantize(...args, '--tensor-type', `@${at('types.txt')}`),
    ]);
    expect(long.stdout).toBe(short.stdout);
    const { byType } = JSON.parse(long.stdout) as { byType: { type: string; tensors: number }[] };
    const counts = Object.fromEntries(byType.map(({ type, tensors }) => [type, tensors]));
    expect(counts).toMatchObject({ Q8_0: 4, Q5_1: 6, Q4_1: 9, Q4_K: 9 });
  });

  test('a conversion takes none of quantizing', async () => {
    const result = await briefCommand('convert', tinyLlama, '--type', 'f16', '--pure', '-o', at('x.gguf'));
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('--pure means nothing with --type f16') });
  });

  test('convert with an importance matrix gives what quantize gives', async () => {
    const args = ['--type', 'Q3_K_M', '--imatrix', imatrix, '--tensor-type', 'attn_q=Q6_K', '-o'];
    await runCommand('convert', tinyLlama, '-o', at('step1.gguf'));
    await runCommand('quantize', at('step1.gguf'), ...args, at('step2.gguf'));
    expect(await runCommand('convert', tinyLlama, ...args, at('onestep.gguf'))).toMatchObject({ code: 0 });
    expect(same('onestep.gguf', 'step2.gguf')).toBe(true);
  });
});
