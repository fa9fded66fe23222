// `quern eval` against a base: statistics against llama-perplexity's own (test/models/tiny-llama/expected/kl-divergence.txt)
// and against ones computed here from llama.cpp's logits; base files; refusals.
//
// Tolerances of the recorded figures. llama.cpp multiplies quantized weights by activations rounded to 8 bits, and its
// base went through a file of 16 bits; we do neither. That noise adds to every divergence, about 9e-5 to its mean: for
// Q8_0 it is most of the figure, for Q4_K_M a tenth, for Q2_K a hundredth.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNativeModel, oracleUnavailable } from '@quern/test-oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, runCommand } from './cli-fixture.ts';

const models = join(root, 'test/models');
const tinyLlama = join(models, 'tiny-llama');

let folder: string;
let prose: string;
const file = (name: string) => join(folder, name);

async function run(...args: string[]) {
  const result = await runCommand(...args);
  if (result.code !== 0) throw new Error(result.stderr || result.stdout);
  return result;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-divergence-'));
  prose = file('prose.txt');
  writeFileSync(prose, readFileSync(join(models, 'text/prose-test.txt')).subarray(0, 60_000));
  for (const type of ['f32', 'Q8_0', 'Q4_K_M', 'Q2_K'])
    await run('convert', tinyLlama, '--type', type, '-o', file(`${type}.gguf`));
  await run('quantize', file('Q2_K.gguf'), '--type', 'f32', '--allow-requantize', '-o', file('Q2_K-f32.gguf'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lines `label: value[ ± error]`, as both programs print them. */
function parseStatistics(text: string): Map<string, { value: number; error?: number }> {
  const rows = [...text.matchAll(/^ *(.+?) *: +(-?[\d.]+)%?(?: ± +([\d.]+))?/gm)];
  return new Map(
    rows.map(([, label, value, error]) => [label!, { value: Number(value), error: error ? Number(error) : undefined }]),
  );
}

function logSoftmax(logits: Float32Array, row: number, vocab: number): number[] {
  const values = Array.from(logits.subarray(row * vocab, (row + 1) * vocab));
  const max = Math.max(...values);
  const norm = max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0));
  return values.map((value) => value - norm);
}

describe('statistics', () => {
  const recorded = new Map(
    readFileSync(join(tinyLlama, 'expected/kl-divergence.txt'), 'utf8')
      .split(/^## /m)
      .slice(1)
      .map((block) => [block.slice(0, block.indexOf('-')), parseStatistics(block)]),
  );
  /** Relative, of the mean divergence, its percentiles, and RMS Δp; the last in percentage points of the same top. */
  const tolerances = { Q4_K_M: [0.1, 0.15, 0.05, 0.4], Q2_K: [0.01, 0.05, 0.01, 0.2] } as const;

  it('agree with those that llama-perplexity printed', async () => {
    const files = ['Q8_0', 'Q4_K_M', 'Q2_K'].map((type) => file(`${type}.gguf`));
    const base = ['--base', file('f32.gguf'), '--save-base', file('base.kld')];
    const { stdout } = await run('eval', ...files, ...base, '--text', prose, '--statistics', '-q', '-t', '2');
    const parts = stdout.split(/^.*?([^/]+)\.gguf$/m).slice(1);
    const ours = new Map(files.map((_, i) => [parts[2 * i]!, parseStatistics(parts[2 * i + 1]!)]));
    for (const [type, wanted] of recorded) {
      const found = ours.get(type)!;
      expect([...found.keys()], type).toEqual([...wanted.keys()]);
      const relative = (label: string) => Math.abs(found.get(label)!.value / wanted.get(label)!.value - 1);
      expect(relative('Mean PPL(base)')).toBeLessThan(1e-5);
      expect(relative('Mean PPL(Q)')).toBeLessThan(1e-3);
      if (type === 'Q8_0') {
        expect(found.get('Mean    KLD')!.value).toBeGreaterThan(2e-5);
        expect(found.get('Mean    KLD')!.value).toBeLessThan(wanted.get('Mean    KLD')!.value);
        continue;
      }
      const [mean, percentile, rms, top] = tolerances[type as keyof typeof tolerances];
      expect(relative('Mean    KLD'), `${type} mean`).toBeLessThan(mean);
      for (const label of ['99.9%   KLD', '99.0%   KLD', '90.0%   KLD', 'Median  KLD', '10.0%   KLD'])
        expect(relative(label), `${type} ${label}`).toBeLessThan(percentile);
      expect(relative('RMS Δp'), type).toBeLessThan(rms);
      expect(Math.abs(found.get('Same top p')!.value - wanted.get('Same top p')!.value), type).toBeLessThan(top);
      // The noise of both programs differs, so the ratio may move by a part of its error.
      const ratio = 'Mean ln(PPL(Q)/PPL(base))';
      expect(Math.abs(found.get(ratio)!.value - wanted.get(ratio)!.value)).toBeLessThan(
        0.4 * wanted.get(ratio)!.error!,
      );
      expect(found.get(ratio)!.error! / wanted.get(ratio)!.error!).toBeCloseTo(1, 1);
    }
  });

  it.skipIf(oracleUnavailable)('equal those of the logits that llama.cpp computes', async () => {
    const [contextTokens, windows] = [128, 3];
    const args = ['--text', prose, '--ctx-size', String(contextTokens), '--chunks', String(windows), '--json', '-q'];
    const { stdout } = await run('eval', file('Q2_K-f32.gguf'), '--base', file('f32.gguf'), ...args);
    const { divergence } = JSON.parse(stdout).models[0];
    const expected = nativeDivergence(file('f32.gguf'), file('Q2_K-f32.gguf'), contextTokens, windows);
    const close = (found: number, wanted: number, tolerance: number) =>
      expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThan(tolerance * Math.abs(wanted));
    close(divergence.kld.value, expected.kldMean, 1e-4);
    close(divergence.kld.error, expected.kldError, 1e-3);
    close(divergence.kld.max, expected.kldMax, 1e-3);
    close(divergence.kld.median, expected.kldMedian, 1e-3);
    close(divergence.lnRatio.value, expected.lnRatio, 1e-3);
    close(divergence.lnRatio.error, expected.lnRatioError, 1e-3);
    close(divergence.correlation, expected.correlation, 1e-5);
    close(divergence.rmsDeltaP.value, expected.rms, 1e-3);
    expect(divergence.sameTop.value).toBeCloseTo(expected.sameTop, 10);
    expect(divergence.tokensScored).toBe(windows * (contextTokens / 2 - 1));
  });

  /** In f64, two passes, the whole vocabulary; the definitions and not our formulas. */
  function nativeDivergence(basePath: string, path: string, contextTokens: number, windows: number) {
    const base = openNativeModel(basePath);
    const other = openNativeModel(path);
    const ids = base.tokenize(readFileSync(prose, 'utf8').replace(/\n$/, ''), { addSpecial: true });
    const bos = ids[0]!;
    const kld: number[] = [];
    const pairs: [number, number][] = [];
    let same = 0;
    for (let window = 0; window < windows; window++) {
      const tokens = ids.slice(window * contextTokens, (window + 1) * contextTokens);
      const inputs = [bos, ...tokens.slice(1)];
      const [p, q] = [base.logits(inputs), other.logits(inputs)];
      for (let place = contextTokens / 2; place < contextTokens - 1; place++) {
        const [a, b] = [logSoftmax(p, place, base.vocabSize), logSoftmax(q, place, base.vocabSize)];
        kld.push(a.reduce((sum, value, i) => sum + Math.exp(value) * (value - b[i]!), 0));
        pairs.push([-a[tokens[place + 1]!]!, -b[tokens[place + 1]!]!]);
        if (a.indexOf(Math.max(...a)) === b.indexOf(Math.max(...b))) same++;
      }
    }
    base.close();
    other.close();
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const error = (values: number[]) =>
      Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / (values.length - 1));
    const differences = pairs.map(([a, b]) => b - a);
    const [as, bs] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
    const covariance = mean(pairs.map(([a, b]) => (a - mean(as)) * (b - mean(bs)))) / (pairs.length - 1);
    const sorted = [...kld].sort((a, b) => a - b);
    return {
      kldMean: mean(kld),
      kldError: error(kld),
      kldMax: sorted.at(-1)!,
      kldMedian: (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2,
      lnRatio: mean(differences),
      lnRatioError: error(differences),
      correlation: covariance / (error(as) * error(bs)),
      rms: Math.sqrt(mean(pairs.map(([a, b]) => (Math.exp(-b) - Math.exp(-a)) ** 2))),
      sameTop: same / kld.length,
    };
  }
});

describe('profile hf-stride', () => {
  it.skipIf(oracleUnavailable)('gives the figure of the loop that transformers documents', async () => {
    const [contextTokens, stride] = [64, 24];
    const short = file('short.txt');
    writeFileSync(short, readFileSync(prose).subarray(0, 1500));
    const args = [
      '--profile',
      'hf-stride',
      '--ctx-size',
      String(contextTokens),
      '--stride',
      String(stride),
      '--json',
      '-q',
    ];
    const { stdout } = await run('eval', file('f32.gguf'), '--text', short, ...args);
    const { nllMean, tokensScored } = JSON.parse(stdout).models[0];

    const native = openNativeModel(file('f32.gguf'));
    const ids = native.tokenize(readFileSync(short, 'utf8'), { addSpecial: true });
    const windows: number[][] = [];
    for (let begin = 0, previous = 0; previous < ids.length; begin += stride) {
      const end = Math.min(begin + contextTokens, ids.length);
      const logits = native.logits(ids.slice(begin, end));
      const targets = Array.from({ length: end - Math.max(previous, 1) }, (_, i) => Math.max(previous, 1) + i);
      windows.push(targets.map((t) => -logSoftmax(logits, t - 1 - begin, native.vocabSize)[ids[t]!]!));
      previous = end;
    }
    native.close();
    const all = windows.flat();
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(tokensScored).toBe(ids.length - 1);
    expect(Math.abs(nllMean - mean(all))).toBeLessThan(2e-5);
    // The documented loop weighs all windows but the first by one token less than they have.
    const weights = windows.map(({ length }, i) => (i === 0 ? length : length - 1));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const documented = windows.reduce((sum, window, i) => sum + (mean(window) * weights[i]!) / total, 0);
    expect(Math.abs(nllMean / documented - 1)).toBeLessThan(2e-3);
  });
});

describe('base files', () => {
  it('give nearly the figures of lockstep, and are written once', async () => {
    const saved = file('small.kld');
    const args = ['--text', prose, '--ctx-size', '32', '--chunks', '3', '--json', '-q'];
    const lockstep = await run('eval', file('Q2_K.gguf'), '--base', file('f32.gguf'), ...args);
    const alone = await run('eval', '--base', file('f32.gguf'), '--save-base', saved, ...args);
    const read = await run('eval', file('Q2_K.gguf'), '--base-file', saved, '--json', '-q');
    expect(statSync(saved).size).toBe(20 + 4 * 3 * 32 + 3 * 15 * (8 + 2 * 4096));
    const [exact, rounded] = [lockstep, read].map(({ stdout }) => JSON.parse(stdout).models[0]);
    expect(rounded.ppl).toBeCloseTo(exact.ppl, 3);
    expect(rounded.divergence.kld.value).toBeCloseTo(exact.divergence.kld.value, 5);
    expect(JSON.parse(alone.stdout).base.ppl).toBeCloseTo(exact.divergence.basePpl.value, 4);
    const table = await run(
      'eval',
      '--base',
      file('f32.gguf'),
      '--save-base',
      `${saved}.2`,
      ...args.slice(0, -2),
      '-q',
    );
    expect(table.stdout).toContain(JSON.parse(alone.stdout).base.ppl.toFixed(4));
    const together = ['--base', file('f32.gguf'), '--save-base', `${saved}.3`, '--activations', 'int8'];
    const { base, models, activations } = JSON.parse(
      (await run('eval', file('Q2_K.gguf'), ...together, ...args)).stdout,
    );
    expect([base.ppl, activations]).toEqual([models[0].divergence.basePpl.value, 'int8']);
    const again = await runCommand('eval', '--base', file('f32.gguf'), '--save-base', saved, ...args);
    expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([3, 'refused-output-exists']);
  });
});

describe('refusals', () => {
  it('names the text that is too short', async () => {
    const short = file('short.txt');
    writeFileSync(short, 'A few words.');
    const { stdout, code } = await runCommand('eval', file('Q8_0.gguf'), '--text', short, '--json', '-q');
    expect([code, JSON.parse(stdout).models[0].failure]).toMatchObject([1, { code: 'text-too-short', file: short }]);
  });

  it('refuses a model of another vocabulary, and keeps the others', async () => {
    const other = join(models, 'arch/qwen3/llama.cpp-bf16.gguf');
    const args = ['--base', file('f32.gguf'), '--text', prose, '--ctx-size', '32', '--chunks', '2', '--json', '-q'];
    const { stdout, code } = await runCommand('eval', other, file('Q8_0.gguf'), ...args);
    const [refused, good] = JSON.parse(stdout).models;
    expect(refused.failure).toMatchObject({ code: 'vocabulary-differs', message: expect.stringMatching(/vocabulary/) });
    expect(good.divergence.kld.value).toBeGreaterThan(0);
    expect(code).toBe(1);
  });

  it('refuses a text that is not the one of the base file', async () => {
    writeFileSync(file('other.txt'), 'Quite another text. '.repeat(40));
    const base = ['--base-file', file('small.kld'), '--text', file('other.txt')];
    const { stdout } = await runCommand('eval', file('Q8_0.gguf'), ...base, '--json', '-q');
    expect(JSON.parse(stdout).models[0].failure.message).toMatch(/token \d+ of the text/);
  });
});
