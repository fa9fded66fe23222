// Our coders against what llama-quantize made of every tensor of a trained model, in every type, without and with an
// importance matrix (expected/quantize.tsv). Runs everywhere: the bytes were recorded on x86-64.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codecOf, dtypeByName, hasCodec, rowBytes, TranscodePool } from '@quern/blocks';
import { type Gguf, openGguf } from '@quern/gguf';
import { afterAll, beforeAll, expect, test } from 'vitest';

const expected = new URL('../models/tiny-llama/expected/', import.meta.url);

interface Recorded {
  tensor: string;
  sha256: string;
}

/** Rows of the table with a tensor's bytes, by type and by whether there was an importance matrix. */
const recorded = new Map<string, Recorded[]>();
for (const line of readFileSync(new URL('quantize.tsv', expected), 'utf8').split('\n')) {
  const [, importance, tensor, type, sha256] = line.split('\t');
  if (!sha256) continue;
  const key = `${type} ${importance}`;
  recorded.set(key, [...(recorded.get(key) ?? []), { tensor, sha256 }]);
}

let pool: TranscodePool;
let model: Gguf;
let imatrix: Gguf;
beforeAll(async () => {
  const open = (name: string) => openGguf(fileURLToPath(new URL(name, expected)));
  pool = await TranscodePool.create({ threads: 2 });
  [model, imatrix] = await Promise.all([open('llama.cpp-bf16.gguf'), open('imatrix.gguf')]);
});
afterAll(async () => {
  await Promise.all([pool.close(), model.close(), imatrix.close()]);
});

async function floats(gguf: Gguf, name: string): Promise<Float32Array | undefined> {
  const tensor = gguf.tensors.get(name);
  return tensor && new Float32Array((await tensor.source.read(tensor.offset, tensor.byteLength)).slice().buffer);
}

/** Mean square of the activations of each column; undefined for tensors that the importance matrix does not know. */
async function importanceOf(name: string): Promise<Float32Array | undefined> {
  const sums = await floats(imatrix, `${name}.in_sum2`);
  const counts = await floats(imatrix, `${name}.counts`);
  return sums?.map((sum) => sum / counts![0]);
}

async function sha256As(type: string, name: string, importance?: Float32Array): Promise<string> {
  const { dtype: from, shape, source, offset } = model.tensors.get(name)!;
  const to = dtypeByName(type);
  const cols = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(rows * rowBytes(to, cols));
  await pool.transcode(
    { from, to, rows, cols, importance },
    (into, piece) => source.readInto(into, offset + piece.sourceOffset),
    (out, piece) => bytes.set(out, piece.targetOffset),
  );
  return createHash('sha256').update(bytes).digest('hex');
}

const withCoder = [...recorded].filter(([key]) => hasCodec(dtypeByName(key.split(' ')[0])));

test.each(withCoder)('%s', async (key, rows) => {
  const [type, matrix] = key.split(' ');
  const { needsImportance } = codecOf(dtypeByName(type));
  const ours = new Map<string, string>();
  for (const { tensor, sha256 } of rows) {
    const importance = matrix === 'imatrix' ? await importanceOf(tensor) : undefined;
    expect(importance !== undefined || !needsImportance, tensor).toBe(true);
    if (!ours.has(tensor)) ours.set(tensor, await sha256As(type, tensor, importance));
    expect(ours.get(tensor), tensor).toBe(sha256);
  }
});
