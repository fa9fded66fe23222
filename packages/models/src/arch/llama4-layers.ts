// What Llama 4's blocks are, one by one: which see their own chunk of the text alone, which know positions, which have
// experts. llama.cpp knows the published pattern (three of four chunked and with positions, the fourth neither) and has keys
// for little of it. What is otherwise is written under llama.cpp's keys where there are some, and under our own else.
import type { NetworkReader } from '../network-reader.ts';
import type { ConfigRule, Json } from './architecture.ts';
import { configError, count, isAbsent, perBlock, show } from './config-error.ts';
import { layerTypes } from './layer-types.ts';
import { type ModelNumbers, maxBlocks } from './model-numbers.ts';

const kinds = ['chunked_attention', 'full_attention'] as const;
const [usualChunk, period] = [8192, 4];
const usual = (block: number): boolean => (block + 1) % period !== 0;
const all = (blocks: number, of: (block: number) => boolean) => Array.from({ length: blocks }, (_, i) => of(i));
const isUsual = (list: readonly boolean[]) => list.every((has, block) => has === usual(block));

const blocksOf = (config: Json): number => count(config, 'num_hidden_layers', { max: maxBlocks });

/** Which blocks know positions; an empty list says nothing. */
function placed(config: Json): boolean[] {
  const given = config.no_rope_layers;
  const list = Array.isArray(given) && given.length === 0 ? undefined : perBlock<unknown>(config, 'no_rope_layers');
  if (!list) {
    const interval = isAbsent(config.no_rope_layer_interval) ? period : count(config, 'no_rope_layer_interval');
    return all(blocksOf(config), (block) => (block + 1) % interval !== 0);
  }
  const bad = list.find((item) => item !== 0 && item !== 1 && typeof item !== 'boolean');
  if (bad !== undefined) throw configError(`"no_rope_layers" has ${show(bad)} (needed: 1 with positions, 0 without)`);
  return list.map(Boolean);
}

const hasChunks = ({ attention_chunk_size: size }: Json): boolean => size !== null;
const chunkOf = (config: Json): number =>
  isAbsent(config.attention_chunk_size) ? usualChunk : count(config, 'attention_chunk_size');

function chunked(config: Json): boolean[] {
  const rope = placed(config);
  const types = layerTypes(config, kinds, (block) => kinds[rope[block] && hasChunks(config) ? 0 : 1]);
  const found = types.map((kind) => kind === 'chunked_attention');
  if (found.includes(true) && !hasChunks(config))
    throw configError('"attention_chunk_size" is null, and "layer_types" has "chunked_attention"');
  return found;
}

/** Which blocks a file without `rope.pattern` gives positions: without chunks llama.cpp gives them to all. */
const placedWithout = (isChunked: boolean, block: number): boolean => !isChunked || usual(block);

const patternKey = 'attention.sliding_window_pattern';
const windowKey = 'attention.sliding_window';
const placedKey = 'rope.pattern';

const isOn = (numbers: ModelNumbers, key: string, block: number, fallback: boolean): boolean =>
  numbers.has(key) ? numbers.isTrue(key, block) : fallback;

export const llama4Layers: readonly ConfigRule[] = [
  {
    // 0: no block has chunks.
    gguf: [windowKey],
    type: 'uint32',
    made: (config) => {
      const size = chunkOf(config);
      if (!chunked(config).includes(true)) return 0;
      return size === usualChunk ? undefined : size;
    },
    back: (numbers) => ({ attention_chunk_size: numbers.at(windowKey) || usualChunk }),
  },
  {
    gguf: [patternKey],
    type: 'bool',
    made: (config) => {
      const found = chunked(config);
      return isUsual(found) || !found.includes(true) ? undefined : found;
    },
    back: (numbers) => ({
      layer_types: all(
        numbers.blocks,
        (i) => numbers.at(windowKey) !== 0 && isOn(numbers, patternKey, i, usual(i)),
      ).map((has) => kinds[has ? 0 : 1]),
    }),
  },
  {
    gguf: [placedKey],
    type: 'bool',
    made: (config) => {
      const [found, anyChunk] = [placed(config), chunked(config).includes(true)];
      return found.every((has, block) => has === placedWithout(anyChunk, block)) ? undefined : found;
    },
    back: (numbers) => ({
      no_rope_layers: all(numbers.blocks, (i) =>
        isOn(numbers, placedKey, i, placedWithout(numbers.at(windowKey) !== 0, i)),
      ).map(Number),
    }),
  },
];

/** The router of a block, which says that it has experts. */
export const routerOf = (block: number): string => `blk.${block}.ffn_gate_inp.weight`;

/** Routers of the blocks with experts: GGUF says which they are by their tensors. */
export function routerRows(config: Json): Map<string, number> {
  const blocks = blocksOf(config);
  const step = isAbsent(config.interleave_moe_layer_step) ? 1 : count(config, 'interleave_moe_layer_step', { min: 0 });
  const given: unknown = config.moe_layers;
  const inRange = (item: unknown) => Number.isInteger(item) && (item as number) >= 0 && (item as number) < blocks;
  if (!isAbsent(given) && !(Array.isArray(given) && given.every(inRange)))
    throw configError(`"moe_layers" is ${show(given)}, a list of numbers below ${blocks} is needed`);
  const has = (block: number) => (Array.isArray(given) ? given.includes(block) : step > 0 && (block + 1) % step === 0);
  const experts = isAbsent(config.num_local_experts) ? 16 : count(config, 'num_local_experts', { min: 0 });
  return new Map(all(blocks, has).flatMap((sparse, block) => (sparse ? [[routerOf(block), experts] as const] : [])));
}

export interface Llama4Block {
  readonly chunk?: number;
  readonly placed: boolean;
}

/** Every block of a file. */
export function readLlama4Blocks(read: NetworkReader, blocks: number): Llama4Block[] {
  const size = read.optionalInteger(windowKey, usualChunk, 0, 1 << 30);
  const chunks = read.has(patternKey) ? read.switchPerLayer(patternKey, blocks) : all(blocks, usual);
  const rope = read.has(placedKey)
    ? read.switchPerLayer(placedKey, blocks)
    : all(blocks, (block) => placedWithout(size > 0, block));
  return rope.map((has, block) => ({ placed: has, ...(chunks[block] && size > 0 && { chunk: size }) }));
}
