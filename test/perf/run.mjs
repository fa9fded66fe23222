// All benchmarks, one after the other, on an otherwise idle machine: more than half an hour on two cores, and 20 GB of
// scratch space. What they print goes into docs/benchmarks.md.
//
//   npm run bench [-- name …]        names: quantize, model, convert, memory, attention, ops, generation, engine, serve, browser,
//                                          wikitext, gpu
//
// Needs a build (`npm run build`): forward passes run from it, since tsx slows closures down.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { syntheticCheckpoint } from './synthetic-checkpoint.mjs';

const here = import.meta.dirname;
const quern = join(here, '../../apps/quern/bin/quern.js');
const onBuild = ['--import', 'tsx'];
const onSource = [...onBuild, '--conditions=source'];

function node(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
}

async function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'quern-bench-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A GGUF file of `type` in `folder`. */
function converted(checkpoint, type, folder) {
  const file = join(folder, `${basename(checkpoint)}-${type}.gguf`);
  node(quern, 'convert', checkpoint, '--type', type, '-o', file);
  return file;
}

/** Files of about 250M weights for generation; small ones fit in a cache and say little. */
async function withFiles(types, measure) {
  await withFolder(async (folder) => {
    const checkpoint = join(folder, 'checkpoint');
    await syntheticCheckpoint(checkpoint, 500);
    await measure(types.map((type) => converted(checkpoint, type, folder)));
  });
}

async function generation() {
  await withFiles(['F16', 'Q8_0', 'Q4_K_M'], (files) => {
    for (const threads of ['1', '2'])
      for (const activations of ['int8', 'f32'])
        node(...onBuild, join(here, 'generation.ts'), ...files, '--threads', threads, '--activations', activations);
  });
}

/** A small model, so that the server's own work is what shows. */
function serve() {
  return withFolder((folder) => {
    const file = converted(join(here, '../models/tiny-llama'), 'F16', folder);
    node(...onBuild, join(here, 'serve.ts'), file);
    node(...onBuild, join(here, 'serve-abuse.ts'), file, '--rounds', '1');
  });
}

/** The page against wllama, in headless Chromium. */
async function browser() {
  await withFiles(['Q8_0', 'Q4_K_M'], (files) => {
    for (const threads of ['1', '2']) node(...onBuild, join(here, 'browser.ts'), ...files, '--threads', threads);
  });
}

function ops() {
  for (const threads of ['1', '2'])
    for (const activations of ['int8', 'f32'])
      node(...onBuild, join(here, 'ops.ts'), '--threads', threads, '--activations', activations);
}

const benchmarks = {
  quantize: () => node(...onSource, join(here, 'quantize.ts')),
  model: () => node(...onSource, join(here, 'synthetic-quantize.ts')),
  convert: () => node(join(here, 'convert.mjs')),
  memory: () => node(join(here, 'memory.mjs')),
  attention: () => node(...onBuild, join(here, 'attention.ts')),
  ops,
  gpu: () => node(...onBuild, join(here, 'gpu.ts')),
  generation,
  engine: () => withFiles(['Q4_K_M'], ([file]) => node(...onBuild, join(here, 'engine.ts'), file)),
  serve,
  wikitext: () => node(...onBuild, join(here, 'wikitext.ts')),
  browser,
};

console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, ${new Date().toISOString()}`);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benchmarks);
for (const name of wanted) {
  if (!(name in benchmarks)) throw new Error(`No benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}.`);
  console.log(`\n## ${name}`);
  await benchmarks[name]();
}
