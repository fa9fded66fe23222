// Every damaged file is shown to llama.cpp too (`gguf_init_from_buffer`): what it refuses, we must not open, and what
// we refuse while it opens must have a reason that we can name.
import { readFile } from 'node:fs/promises';
import { readGgufHeader } from '@quern/gguf';
import { memorySource } from '@quern/source';
import { describe, expect, test } from 'vitest';
import { libraries, oracleUnavailable } from '../oracle/src/library.ts';
import { damagedFile } from './damaged-file.ts';
import { ggufCorpus } from './gguf-corpus.ts';
import { outcomeOf } from './outcome.ts';

const models = new URL('../models/', import.meta.url);
const files = [
  'arch/llama-spm/llama.cpp-q8_0.gguf',
  'arch/qwen3/llama.cpp-bf16.gguf',
  'tiny-llama/expected/imatrix.gguf',
];

/** Where we are stricter: llama.cpp finds these only when it loads tensor data, or never. */
const stricter = new Set([
  'gguf-truncated',
  'gguf-trailing-data',
  'gguf-bad-count',
  'gguf-name-not-utf8',
  'gguf-name-too-long',
  'gguf-bad-bool',
  'gguf-bad-alignment',
  'gguf-split-bad-metadata',
]);

function nativeReader(): (bytes: Uint8Array) => { pairs: number; tensors: number } | undefined {
  const { koffi, ggmlBase } = libraries();
  koffi.struct('gguf_init_params', { no_alloc: 'bool', ctx: 'void *' });
  const init = ggmlBase.func('void *gguf_init_from_buffer(const uint8_t *data, size_t size, gguf_init_params params)');
  const free = ggmlBase.func('void gguf_free(void *ctx)');
  const countPairs = ggmlBase.func('int64_t gguf_get_n_kv(void *ctx)');
  const countTensors = ggmlBase.func('int64_t gguf_get_n_tensors(void *ctx)');
  return (bytes) => {
    const context = init(bytes, bytes.length, { no_alloc: true, ctx: null });
    if (!context) return undefined;
    const counts = { pairs: Number(countPairs(context)), tensors: Number(countTensors(context)) };
    free(context);
    return counts;
  };
}

describe.skipIf(oracleUnavailable)('llama.cpp agrees', () => {
  const native = oracleUnavailable ? () => undefined : nativeReader();

  async function compare(bytes: Uint8Array): Promise<string> {
    let counts: { pairs: number; tensors: number } | undefined;
    const outcome = await outcomeOf(async () => {
      const { metadata, tensors } = await readGgufHeader(memorySource(bytes, 'hostile.gguf'));
      counts = { pairs: metadata.size, tensors: tensors.size };
      return [];
    });
    const theirs = native(bytes);
    if (outcome === 'open') expect(theirs).toEqual(counts);
    else if (theirs) expect([...stricter]).toContain(outcome);
    return `${outcome} / ${theirs ? 'open' : 'refused'}`;
  }

  test.each(files)('on %s with random damage', async (name) => {
    const good = new Uint8Array(await readFile(new URL(name, models)));
    const { dataOffset } = await readGgufHeader(memorySource(good));
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= 1500; seed++) {
      const damaged = damagedFile(good.subarray(0, dataOffset), good.length - dataOffset, seed);
      const both = await compare(await damaged.read(0, damaged.size));
      outcomes.set(both, (outcomes.get(both) ?? 0) + 1);
    }
    expect(outcomes.get('open / open')).toBeGreaterThan(10);
  });

  test('on every deliberate change', async () => {
    for (const { bytes } of await ggufCorpus(new Uint8Array(await readFile(new URL(files[0]!, models))))) {
      await compare(bytes);
    }
  });
});
