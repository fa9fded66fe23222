// Every architecture's quantized files, held to llama.cpp: each tensor has llama-quantize's type and bytes, llama.cpp loads
// the file, and the same numbers give the same distribution. The architectures are those of golden/forward.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { planConversion, planTypes, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureRows, checkpointOf } from '../golden/forward/architectures.ts';
import { recordedTensor } from '../golden/forward/recorded.ts';
import { meanDivergence, ourLogits } from './divergence.ts';
import { nativeLogits, nativeQuantizeModel, openNativeModel, oracleUnavailable } from './src/index.ts';

if (oracleUnavailable) console.log(`Skipping the architectures' files in llama.cpp: ${oracleUnavailable}`);

/** What tells a comparison apart from the usual one. */
interface Peculiarity {
  /** Metadata with which quern computes what llama.cpp does, where it follows transformers and llama.cpp does not. */
  readonly asNative?: (metadata: GgufMetadata) => void;
  /** llama.cpp cannot read the vocabulary of the tiny checkpoint: it has none of the tokens for single bytes. */
  readonly noVocabulary?: true;
}

const peculiar: Readonly<Record<string, Peculiarity>> = {
  gemma2: { asNative: (metadata) => metadata.delete('gemma2.attention.scale') },
  // Its window is as many tokens before the token, for llama.cpp as many in all.
  mimo2: {
    asNative: (metadata) =>
      metadata.set('mimo2.attention.sliding_window', {
        type: 'uint32',
        value: Number(metadata.get('mimo2.attention.sliding_window')!.value) - 1,
      }),
  },
  'gpt-oss': {
    asNative: (metadata) => metadata.set('gpt-oss.rope.scaling.yarn_truncate', { type: 'bool', value: true }),
  },
  phi3: { noVocabulary: true },
  'phi3-long': { noVocabulary: true },
};

/** They turn texts into vectors: nothing here has logits. */
const encoders = ['bert', 'nomic-bert', 'embeddinggemma'];
const names = [...architectureRows.map(({ name }) => name), 'qwen3-embedding', ...encoders];
const fileTypes = ['Q4_K_M', 'Q8_0'] as const;
const tokens = 24;
/** Mean divergence that is left of the same numbers: llama.cpp looks GELU up in a table of F16. */
const exact = 1e-6;
/** What its rounding of activations makes of random weights, which choose other experts for a digit. */
const rounding = 0.2;

let folder: string;
let pool: TranscodePool;
let device: Device;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-architectures-'));
  pool = await TranscodePool.create({ threads: 1 });
  device = await cpuDevice({ threads: 1 });
});
afterAll(async () => {
  await pool.close();
  await device.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(oracleUnavailable).each(names)('%s in llama.cpp', (name) => {
  const source = checkpointOf(name);
  if (!source) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  const { asNative, noVocabulary } = peculiar[name] ?? {};
  const at = (file: string) => join(folder, `${name}-${file}.gguf`);

  async function write(view: ModelView, type: string, to: string): Promise<string> {
    const plan = planTypes(view, type, { allowRequantize: true });
    if (noVocabulary) {
      const size = view.metadata.get('tokenizer.ggml.tokens')!.value as readonly unknown[];
      plan.metadata.set('tokenizer.ggml.model', { type: 'string', value: 'no_vocab' });
      plan.metadata.set(`${plan.metadata.get('general.architecture')!.value}.vocab_size`, {
        ...{ type: 'uint32', value: size.length },
      });
    }
    await writeModel(view, plan, at(to), { pool, force: true });
    return at(to);
  }

  async function withView<T>(path: string, use: (view: ModelView) => Promise<T>): Promise<T> {
    const view = await openModel(path);
    try {
      return await use(view);
    } finally {
      await view.close();
    }
  }

  beforeAll(async () => {
    await withView(source, (view) => writeModel(view, planConversion(view, 'auto'), at('converted'), { pool }));
    for (const type of fileTypes) await withView(at('converted'), (view) => write(view, type, type));
  });

  const recorded = recordedTensor(`${source}/expected.safetensors`, 'input_ids');
  const ids = new Int32Array(recorded.bytes, 0, Math.min(tokens, recorded.shape[1]!));

  /** Of llama.cpp's logits for one file from ours for another. */
  async function divergence(native: string, ours: string): Promise<number> {
    return withView(ours, async (view) => {
      asNative?.(view.metadata);
      const { logits, vocab } = await ourLogits(view, ids, device);
      return meanDivergence(nativeLogits(native, [...ids]), logits, vocab);
    });
  }

  it.each(fileTypes)('as %s: the types and bytes of llama-quantize', async (type) => {
    nativeQuantizeModel(at('converted'), at('native'), type);
    const theirs = await withView(at('native'), described);
    const ours = await withView(at('converted'), async (view) => {
      await writeModel(view, planTypes(view, type), at('ours'), { pool, force: true });
      return withView(at('ours'), described);
    });
    expect(ours).toEqual(theirs);
  });

  if (encoders.includes(name)) {
    it.each(fileTypes)('as %s: it loads', (type) => openNativeModel(at(type)).close());
    return;
  }

  it.each(fileTypes)('as %s: the same distribution', async (type) => {
    const unpacked = await withView(at(type), (view) => write(view, 'F32', 'unpacked'));
    expect(await divergence(unpacked, at(type))).toBeLessThan(exact);
    expect(await divergence(at(type), at(type))).toBeLessThan(rounding);
  });
});

async function described({ tensors, metadata }: ModelView) {
  const hashes: string[] = [];
  for (const { name, dtype, rows, rowBytes, readRows } of tensors.values()) {
    const bytes = new Uint8Array(rows * rowBytes);
    await readRows(0, rows, bytes);
    hashes.push(`${name} ${dtype.name} ${createHash('sha256').update(bytes).digest('hex')}`);
  }
  return { metadata: [...metadata], tensors: hashes };
}
