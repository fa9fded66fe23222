// Perplexity and KL divergence of what quern writes, as Markdown tables for docs/benchmarks.md: the two small trained
// models, on WikiText-2 (wiki.test.raw, as every published figure of llama.cpp) and on prose held out from their training,
// where differences between types show better.
//
// Run: npm run bench -- wikitext, or node --import tsx test/perf/wikitext.ts [--chunks 200] [--model tiny-llama]
// Needs a build. The texts are third-party and lie in QUERN_DATA (default ../shared/data). Everything is in f32 but the
// weights: what is compared is the weights.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { chunks: { type: 'string' }, model: { type: 'string' } } });
const root = join(import.meta.dirname, '../..');
const data = process.env.QUERN_DATA ?? join(root, '../shared/data');
const texts = ['text/wiki.test.raw', 'text/prose-test.txt'].map((name) => join(data, name));
const models = ['tiny-llama', 'tiny-qwen3-moe'].filter((name) => values.model === undefined || name === values.model);

/** Prints progress; gives stdout, or why it failed. */
function quern(...args: string[]): { out: string } | { failure: string } {
  const bin = join(root, 'apps/quern/bin/quern.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return { out: stdout };
  const lines = stderr.trim().split('\n');
  return { failure: lines.findLast((line) => line.startsWith('error')) ?? lines.at(-1) ?? `status ${status}` };
}

interface Row {
  readonly name: string;
  readonly path: string;
}

const fixedTypes = ['F16', 'Q8_0', 'Q6_K', 'Q5_K_M', 'Q4_K_M', 'Q3_K_M', 'Q2_K'];
/** Of a folder for transformers and vLLM: groups of 128, 4 bits. */
const groupMethods = ['rtn', 'awq', 'gptq'];

/** Makes all files of a model; what cannot be made is left out, with the reason. */
function makeFiles(model: string, folder: string): Row[] {
  const checkpoint = join(root, 'test/models', model);
  const rows: Row[] = [];
  const make = (name: string, path: string, ...args: string[]): void => {
    if ('failure' in quernNoted(name, ...args, '-o', path)) return;
    rows.push({ name, path });
  };
  const file = (name: string): string => join(folder, `${name.replaceAll(' ', '-')}.gguf`);
  const plain = file('F16');
  const imatrix = join(folder, 'imatrix.gguf');
  for (const type of fixedTypes) make(type, file(type), 'convert', checkpoint, '--type', type);
  const measured = quernNoted('imatrix', 'calibrate', plain, '-o', imatrix);
  const withImatrix = 'failure' in measured ? [] : ['--imatrix', imatrix];
  for (const type of ['Q4_K_M', 'Q3_K_M', 'Q2_K'])
    make(`${type} imatrix`, file(`${type} imatrix`), 'convert', checkpoint, '--type', type, ...withImatrix);
  const target = ['quantize', checkpoint, '--target-size', 'Q4_K_M'];
  make('auto at Q4_K_M', file('auto'), ...target);
  make('auto at Q4_K_M imatrix', file('auto imatrix'), ...target, ...withImatrix);
  for (const method of groupMethods)
    make(`${method.toUpperCase()}-128`, join(folder, method), 'quantize', checkpoint, '--type', method);
  return rows;
}

function quernNoted(name: string, ...args: string[]): ReturnType<typeof quern> {
  const result = quern(...args);
  console.error('failure' in result ? `${name} left out: ${result.failure}` : name);
  return result;
}

interface Evaluation {
  readonly model: string;
  readonly fileBytes: number;
  readonly bitsPerWeight: number;
  readonly ppl: number;
  readonly error: number;
  readonly windows: number;
  readonly divergence?: {
    readonly kld: { readonly value: number; readonly error: number };
    readonly sameTop: { readonly value: number };
  };
}

function table(rows: readonly Row[], text: string): void {
  // The base is evaluated too: the file of its probabilities leaves out what is less likely than e^-16, and so does a
  // perplexity that comes from it.
  const [base] = rows as [Row, ...Row[]];
  const saved = `${base.path}.logits`;
  const chunks = values.chunks === undefined ? [] : ['--chunks', values.chunks];
  const paths = rows.map(({ path }) => path);
  const result = quern(
    ...['eval', ...paths, '--base', base.path, '--save-base', saved, '--text', text, ...chunks, '--json'],
  );
  rmSync(saved, { force: true });
  if ('failure' in result) throw new Error(result.failure);
  const { models: evaluated } = JSON.parse(result.out) as { models: Evaluation[] };
  const windows = evaluated[0]?.windows;
  console.log(
    `\n**${basename(text)}**, ${values.chunks === undefined ? 'all' : 'the first'} ${windows} windows of 512\n`,
  );
  console.log('| file | MiB | bits/weight | PPL | mean KLD | same top |\n|---|---|---|---|---|---|');
  const size = (path: string): string =>
    statSync(path).isDirectory() ? '' : (statSync(path).size / 2 ** 20).toFixed(2);
  for (const [i, { name, path }] of rows.entries()) {
    const it = evaluated[i];
    if (!it?.divergence) {
      console.log(`| ${name} | | | failed | | |`);
      continue;
    }
    const { kld, sameTop } = it.divergence;
    console.log(
      `| ${name} | ${size(path)} | ${it.bitsPerWeight.toFixed(3)} | ${it.ppl.toFixed(2)} ± ${it.error.toFixed(2)} | ` +
        `${kld.value.toFixed(5)} ± ${kld.error.toFixed(5)} | ${(100 * sameTop.value).toFixed(2)} % |`,
    );
  }
}

const missing = texts.filter((text) => !existsSync(text));
if (missing.length > 0) {
  console.log(`Skipped: there is no ${missing.join(', no ')} (QUERN_DATA says where the texts are).`);
} else {
  for (const model of models) {
    const folder = mkdtempSync(join(tmpdir(), 'quern-wikitext-'));
    try {
      console.log(`\n### ${model}`);
      const rows = makeFiles(model, folder);
      for (const text of texts) table(rows, text);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
