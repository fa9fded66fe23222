// Evaluations that stop and go on, that several machines share, and their reports.
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interruptedAt, root, runCommand, startCommand } from './cli-fixture.ts';

const models = join(root, 'test/models');
const data = join(import.meta.dirname, 'eval-data');
const text = join(models, 'text/prose-test.txt');
let folder: string;
let settings: string[];
const file = (name: string) => join(folder, name);

async function evaluated(...args: string[]) {
  const { code, stdout, stderr } = await runCommand('eval', ...args, '--json', '-q');
  if (code !== 0) throw new Error(stderr || stdout);
  return JSON.parse(stdout);
}

/** What must not depend on how the work was done. */
const figures = ({ models: outcomes }: { models: Record<string, unknown>[] }) =>
  outcomes.map(({ model, ppl, error, divergence, tasks, windows }) => ({
    model,
    ppl,
    error,
    divergence,
    tasks,
    windows,
  }));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-state-'));
  for (const type of ['f32', 'Q4_0', 'Q2_K'])
    await runCommand('convert', join(models, 'tiny-llama'), '--type', type, '-o', file(`${type}.gguf`));
  const tasks = ['--winogrande', join(data, 'winogrande.csv')];
  settings = [file('Q4_0.gguf'), file('Q2_K.gguf'), '--base', file('f32.gguf'), '--text', text, ...tasks];
  settings.push('--ctx-size', '48', '--chunks', '5');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a state', () => {
  let whole: { models: Record<string, unknown>[] };
  beforeAll(async () => {
    whole = await evaluated(...settings, '--state', file('state'));
  });

  it('makes a run that died in the middle of a line go on, to the same bits', async () => {
    copyFileSync(file('state'), file('died'));
    truncateSync(file('died'), Math.floor(statSync(file('state')).size * 0.6));
    const resumed = await evaluated(...settings, '--state', file('died'));
    expect(figures(resumed)).toEqual(figures(whole));
    const sortedLines = (name: string) => readFileSync(file(name), 'utf8').split('\n').sort();
    expect(sortedLines('died')).toEqual(sortedLines('state'));
  });

  it('computes nothing again, and knows a model by what is in it', async () => {
    copyFileSync(file('Q2_K.gguf'), file('renamed.gguf'));
    const args = settings.with(1, file('renamed.gguf'));
    const again = await evaluated(...args, '--state', file('state'));
    expect(again.models.map(({ tokensPerSecond }: { tokensPerSecond?: number }) => tokensPerSecond)).toEqual([
      undefined,
      undefined,
    ]);
    expect(again.models[1].divergence).toEqual(whole.models[1]!.divergence);
  });

  it('survives an interrupt', async () => {
    const long = ['eval', file('f32.gguf'), '--text', text, '--ctx-size', '64', '--state', file('interrupted')];
    const child = startCommand(...long, '--chunks', '200', '-t', '1');
    const code = new Promise((resolve) => child.on('close', resolve));
    const size = () => statSync(file('interrupted'), { throwIfNoEntry: false })?.size ?? 0;
    while (size() < 2000) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await code).toBe(130);
    const kept = readFileSync(file('interrupted'), 'utf8').trim().split('\n').length - 2;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(200);
  });

  it('is not needed for an interrupt to print what was measured, marked as a part', async () => {
    const long = ['eval', file('f32.gguf'), '--text', join(models, 'text/tinyshakespeare.txt'), '--ctx', '64'];
    const report = ['--report', file('interrupted.html')];
    const { code, stdout, stderr } = await interruptedAt(/"done":[1-9]/, ...long, ...report, '--json');
    expect(code).toBe(130);
    const [model] = JSON.parse(stdout).models;
    expect(model).toMatchObject({ interrupted: true, windowsOfText: expect.any(Number), ppl: expect.any(Number) });
    expect(model.windows).toBeGreaterThan(0);
    expect(model.windows).toBeLessThan(model.windowsOfText);
    expect(stderr).toContain('Nothing is kept');
    // Else the same command would find a file in its place.
    expect(existsSync(file('interrupted.html'))).toBe(false);
  });

  it.each([
    ['another context', '--ctx-size', () => '64', /another context: 48, not 64/],
    ['another base', '--base', () => file('Q4_0.gguf'), /another base/],
  ])('is refused with %s', async (_, flag, value, message) => {
    const changed = settings.with(settings.indexOf(flag) + 1, value());
    const { code, stderr } = await runCommand('eval', ...changed, '--state', file('state'), '-q');
    expect(stderr).toMatch(message);
    expect(code).toBe(3);
  });

  it('of shards merges into the figures of one run, to the bit', async () => {
    for (const part of ['1/2', '2/2']) await evaluated(...settings, '--state', file(`part${part[0]}`), '--shard', part);
    const merged = await evaluated('--merge', file('part2'), file('part1'));
    expect(figures(merged)).toEqual(figures(whole));

    const refused = async (...parts: string[]) => {
      const { code, stderr } = await runCommand('eval', '--merge', ...parts.map(file));
      return [code, stderr];
    };
    expect(await refused('part1')).toEqual([
      3,
      expect.stringMatching(/winogrande 3 of .* is in none of the files; they have 3 of 7/),
    ]);
    expect(await refused('part1', 'part2', 'part1')).toEqual([3, expect.stringMatching(/in two of the files/)]);
    expect(await refused('part1', 'interrupted')).toEqual([3, expect.stringMatching(/another/)]);
  });
});

describe('a report', () => {
  it('is one page that needs nothing else and shows everything', async () => {
    const odd = file('<b>&"odd".gguf');
    copyFileSync(file('Q2_K.gguf'), odd);
    const { stdout } = await runCommand(
      ...['quantize', file('f32.gguf'), '--type', 'Q2_K', '--verify', '--json', '-o', file('v.gguf')],
    );
    writeFileSync(file('verify.json'), stdout);
    const args = settings.with(1, odd);
    await evaluated(
      ...args,
      '--state',
      file('state'),
      '--report',
      file('out.html'),
      '--tensor-errors',
      file('verify.json'),
    );
    const page = readFileSync(file('out.html'), 'utf8');
    expect(page).not.toMatch(/https?:|<script|<link|<img|src=|href=|@import|url\(/);
    expect(page).toContain('&lt;b&gt;&amp;&quot;odd&quot;.gguf');
    expect(page).not.toContain('<b>');
    expect(page.match(/<svg /g)).toHaveLength(4);
    for (const title of ['KL divergence from', 'ln(PPL / PPL of the base)', 'Perplexity against size', 'Relative RMSE'])
      expect(page).toContain(title);
    expect(page).toMatch(/blk\.0\.ffn_down\.weight {2}Q\d_K/);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    expect(unbalanced(page)).toEqual([]);
    // Whoever gets the page learns what was measured, by what and when, and nothing of the folders here.
    expect(page).not.toContain(dirname(odd));
    expect(page).not.toContain(tmpdir());
    expect(page).toMatch(/quern \d+\.\d+\.\d+, <time datetime="\d{4}-\d\d-\d\dT/);
    expect(page).toMatch(/\d tokens scored in \d+ windows/);
  });

  it('refuses errors of tensors that are none', async () => {
    const args = [file('Q4_0.gguf'), '--text', text, '--ctx-size', '16', '--chunks', '1', '--report', file('no.html')];
    const { code, stderr } = await runCommand('eval', ...args, '--tensor-errors', text, '-q');
    expect(stderr).toMatch(/no errors of tensors/);
    expect(code).toBe(1);
  });

  /** Elements that are opened and not closed, or the other way round. */
  function unbalanced(page: string): string[] {
    const open: string[] = [];
    for (const [tag, closing, name, self] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/gi)) {
      if (self || ['meta'].includes(name!) || tag.startsWith('<!')) continue;
      if (!closing) open.push(name!);
      else if (open.at(-1) === name) open.pop();
      else return [...open, tag];
    }
    return open;
  }
});
