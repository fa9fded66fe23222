// What MiMo V2's blocks are, one by one, in both dialects: lists of 0 and 1 with sizes of each kind spelled out (published), or
// lists of words and sizes that follow (transformers 5).
import type { NetworkReader } from '../network-reader.ts';
import type { ConfigRule, Json } from './architecture.ts';
import { configError, count, isAbsent, perBlock, show } from './config-error.ts';
import { layerTypes } from './layer-types.ts';
import { maxBlocks } from './model-numbers.ts';

/** The first layer and the last of every six see everything. */
const period = 6;
const kinds = ['sliding_attention', 'full_attention'] as const;
const mlps = ['sparse', 'dense'] as const;

/** A list of 0 and 1 as words; undefined when there is none. */
function switches<Kind>(config: Json, key: string, [on, off]: readonly [Kind, Kind]): Kind[] | undefined {
  const list = perBlock<unknown>(config, key);
  const bad = list?.find((item) => item !== 0 && item !== 1);
  if (bad !== undefined) throw configError(`"${key}" has ${show(bad)} (needed: 0 or 1)`);
  return list?.map((item) => (item === 1 ? on : off));
}

function agreed<Kind>(published: readonly Kind[] | undefined, key: string, listed: Kind[], other: string): Kind[] {
  const at = published?.findIndex((kind, i) => kind !== listed[i]) ?? -1;
  if (at >= 0) throw configError(`"${key}" and "${other}" disagree on layer ${at}`);
  return listed;
}

/** Which layers have a window. */
export function mimoWindows(config: Json): boolean[] {
  const published = switches(config, 'hybrid_layer_pattern', kinds);
  const usual = (i: number) => kinds[i === 0 || (i + 1) % period === 0 ? 1 : 0];
  const listed = layerTypes(config, kinds, (i) => published?.[i] ?? usual(i));
  return agreed(published, 'hybrid_layer_pattern', listed, 'layer_types').map((kind) => kind === 'sliding_attention');
}

function mimoSparse(config: Json): boolean[] {
  const published = switches(config, 'moe_layer_freq', mlps);
  const blocks = count(config, 'num_hidden_layers', { max: maxBlocks });
  const listed =
    perBlock<(typeof mlps)[number]>(config, 'mlp_layer_types') ??
    Array.from({ length: blocks }, (_, i) => published?.[i] ?? mlps[i === 0 ? 1 : 0]);
  const other = listed.find((kind) => !mlps.includes(kind));
  if (other !== undefined) throw configError(`"mlp_layer_types" has ${show(other)} (known: ${mlps.join(', ')})`);
  return agreed(published, 'moe_layer_freq', listed, 'mlp_layer_types').map((kind) => kind === 'sparse');
}

const numberOf = (config: Json, key: string, missing: number): number =>
  isAbsent(config[key]) ? missing : count(config, key, { max: 1 << 16 });

/** Key-value heads of the layers without a window and of those with one, twice as many unless told. */
function kvHeads(config: Json): { full: number; windowed: number } {
  const full = numberOf(config, 'num_key_value_heads', 4);
  const windowed = numberOf(config, 'swa_num_key_value_heads', 2 * full);
  const heads = numberOf(config, 'num_attention_heads', 64);
  const bad = [full, windowed].find((number) => heads % number !== 0);
  if (bad !== undefined) throw configError(`${bad} key-value heads do not divide ${heads} "num_attention_heads"`);
  return { full, windowed };
}

/** Draft blocks have windows. */
const ofAll = <T>(config: Json, drafts: number, of: (windowed: boolean) => T): T[] =>
  [...mimoWindows(config), ...Array<boolean>(drafts).fill(true)].map(of);

export const kvHeadsOfBlocks: ConfigRule = {
  gguf: ['attention.head_count_kv'],
  type: 'uint32',
  made: (config, { draftBlocks }) => {
    const { full, windowed } = kvHeads(config);
    return ofAll(config, draftBlocks, (has) => (has ? windowed : full));
  },
  back: (numbers) => {
    const list = numbers.list('attention.head_count_kv')!;
    const has = numbers.list('attention.sliding_window_pattern')!;
    const windowed = list[has.indexOf(1)];
    const full = list[has.indexOf(0)] ?? (windowed === undefined ? undefined : windowed / 2);
    return { num_key_value_heads: full, swa_num_key_value_heads: windowed ?? 2 * full! };
  },
};

/**
 * Tokens before one that it sees: GGUF's number, as published. transformers counts the token itself in `sliding_window`,
 * unless `sliding_window_size` says what was published.
 */
function windowBehind(config: Json): number {
  const { sliding_window: whole, sliding_window_size: size } = config;
  if (isAbsent(size)) return isAbsent(whole) ? 128 : count(config, 'sliding_window', { min: 2 }) - 1;
  const behind = count(config, 'sliding_window_size');
  if (isAbsent(whole) || whole === behind || whole === behind + 1) return behind;
  throw configError(`"sliding_window" is ${show(whole)} and "sliding_window_size" ${behind}`);
}

export const windowsOfBlocks: readonly ConfigRule[] = [
  {
    gguf: ['attention.sliding_window'],
    type: 'uint32',
    made: windowBehind,
    back: (numbers) => {
      const behind = numbers.at('attention.sliding_window');
      return { sliding_window: behind, sliding_window_size: behind };
    },
  },
  {
    gguf: ['attention.sliding_window_pattern'],
    type: 'int32',
    made: (config, { draftBlocks }) => ofAll(config, draftBlocks, Number),
    back: (numbers) => {
      const list = numbers.list('attention.sliding_window_pattern')!.slice(0, numbers.blocks - numbers.draftBlocks);
      return { hybrid_layer_pattern: list, layer_types: list.map((has) => kinds[has === 1 ? 0 : 1]) };
    },
  },
];

/** The router of a block, which says that it has experts. */
export const routerOf = (block: number): string => `blk.${block}.ffn_gate_inp.weight`;

/** GGUF says by its tensors which blocks have experts. */
export const routerRows = (config: Json): Map<string, number> =>
  new Map(
    mimoSparse(config).flatMap((sparse, block) =>
      sparse ? [[routerOf(block), numberOf(config, 'n_routed_experts', 256)] as const] : [],
    ),
  );

export const expertsOfBlocks: ConfigRule = {
  gguf: [],
  type: 'uint32',
  made: () => undefined,
  back: (numbers) => {
    const sparse = Array.from({ length: numbers.blocks - numbers.draftBlocks }, (_, i) =>
      Number(numbers.rowsOf(routerOf(i)) !== undefined),
    );
    return { moe_layer_freq: sparse, mlp_layer_types: sparse.map((has) => mlps[has === 1 ? 0 : 1]) };
  },
};

/** Of every block of a file: a token sees itself and so many before it, as transformers has it. */
export function readMimoWindows(read: NetworkReader, blocks: number): (number | undefined)[] {
  const behind = read.integer('attention.sliding_window', 1, 1 << 30);
  return read.switchPerLayer('attention.sliding_window_pattern', blocks).map((has) => (has ? behind + 1 : undefined));
}
