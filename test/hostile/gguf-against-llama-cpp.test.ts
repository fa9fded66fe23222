// Every damaged file is shown to llama.cpp too (`gguf_init_from_buffer`): what it refuses, we must not open, and what
// we refuse while it opens must have a reason that we can name.
import { readFile } from 'node:fs/promises';
import { dtypes } from '@quern/blocks';
import { type GgufMetadata, type GgufValue, layoutGguf, readGgufHeader } from '@quern/gguf';
import { memorySource } from '@quern/source';
import fc from 'fast-check';
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

interface NativeView {
  keys: string[];
  dataOffset: number;
  tensors: { name: string; type: number; offset: number }[];
}

/** What llama.cpp reads out of a file, or undefined when it refuses it. */
function nativeReader(): (bytes: Uint8Array) => NativeView | undefined {
  const { koffi, ggmlBase } = libraries();
  koffi.struct('gguf_init_params', { no_alloc: 'bool', ctx: 'void *' });
  const init = ggmlBase.func('void *gguf_init_from_buffer(const uint8_t *data, size_t size, gguf_init_params params)');
  const free = ggmlBase.func('void gguf_free(void *ctx)');
  const countPairs = ggmlBase.func('int64_t gguf_get_n_kv(void *ctx)');
  const countTensors = ggmlBase.func('int64_t gguf_get_n_tensors(void *ctx)');
  const key = ggmlBase.func('const char *gguf_get_key(void *ctx, int64_t id)');
  const name = ggmlBase.func('const char *gguf_get_tensor_name(void *ctx, int64_t id)');
  const type = ggmlBase.func('int gguf_get_tensor_type(void *ctx, int64_t id)');
  const offset = ggmlBase.func('size_t gguf_get_tensor_offset(void *ctx, int64_t id)');
  const dataOffset = ggmlBase.func('size_t gguf_get_data_offset(void *ctx)');
  return (bytes) => {
    const ctx = init(bytes, bytes.length, { no_alloc: true, ctx: null });
    if (!ctx) return undefined;
    const view = {
      keys: Array.from({ length: Number(countPairs(ctx)) }, (_, id) => key(ctx, id) as string),
      dataOffset: Number(dataOffset(ctx)),
      tensors: Array.from({ length: Number(countTensors(ctx)) }, (_, id) => ({
        name: name(ctx, id) as string,
        type: type(ctx, id) as number,
        offset: Number(offset(ctx, id)),
      })),
    };
    free(ctx);
    return view;
  };
}

describe.skipIf(oracleUnavailable)('llama.cpp agrees', () => {
  const native = oracleUnavailable ? () => undefined : nativeReader();

  async function compare(bytes: Uint8Array): Promise<string> {
    let ours: NativeView | undefined;
    const outcome = await outcomeOf(async () => {
      const { metadata, tensors, dataOffset } = await readGgufHeader(memorySource(bytes, 'hostile.gguf'));
      ours = {
        // A C string ends at the first NUL.
        keys: [...metadata.keys()].map(cString),
        dataOffset,
        tensors: [...tensors.values()].map(({ name, dtype, offset }) => ({
          name: cString(name),
          type: dtype.ggmlId!,
          offset: offset - dataOffset,
        })),
      };
      return [];
    });
    const theirs = native(bytes);
    if (outcome === 'open') expect(theirs).toEqual(ours);
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

  test('on what we write', async () => {
    const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 63 });
    const value = fc.oneof(
      fc.nat(2 ** 31).map((n): GgufValue => ({ type: 'uint32', value: n })),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n): GgufValue => ({ type: 'uint64', value: n })),
      fc.string({ unit: 'grapheme' }).map((text): GgufValue => ({ type: 'string', value: text })),
      fc.array(fc.string()).map((list): GgufValue => ({ type: 'array', of: 'string', value: list })),
      fc.array(fc.boolean()).map((list): GgufValue => ({ type: 'array', of: 'bool', value: list })),
    );
    const pairs = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key });
    const dtype = fc.constantFrom(...dtypes.filter(({ ggmlId }) => ggmlId !== undefined));
    const tensor = fc.record({ name, dtype, rows: fc.nat(3), blocks: fc.nat(3) });
    const tensors = fc.uniqueArray(tensor, { selector: (t) => t.name });
    const alignment = fc.constantFrom(undefined, 8, 64, 4096);
    await fc.assert(
      fc.asyncProperty(pairs, tensors, alignment, async (list, infos, align) => {
        const metadata: GgufMetadata = new Map(list);
        if (align) metadata.set('general.alignment', { type: 'uint32', value: align });
        const plans = infos.map((t) => ({ ...t, shape: [t.rows, t.blocks * t.dtype.blockSize] }));
        const { header, fileBytes } = layoutGguf(metadata, plans);
        const file = new Uint8Array(fileBytes);
        file.set(header);
        expect(await compare(file)).toBe('open / open');
      }),
      { numRuns: 300 },
    );
  });
});

const cString = (text: string): string => text.split('\0')[0]!;
