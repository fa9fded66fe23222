// Windows in some of the blocks: `sliding_attention` beside `full_attention`. Where llama.cpp knows which block is which,
// GGUF says it only when config.json says otherwise (`attention.sliding_window_pattern`, which llama.cpp reads then).
import type { NetworkReader } from '../network-reader.ts';
import { count, isAbsent } from './config-error.ts';
import type { ConfigRule, Json } from './config-rule.ts';
import { everyNth, layerTypes } from './layer-types.ts';
import type { ModelNumbers } from './model-numbers.ts';

const kinds = ['sliding_attention', 'full_attention'] as const;

export interface WindowLayers {
  /** Every so many blocks one sees everything, as llama.cpp knows it: the last of them, or the first. */
  readonly period: number;
  readonly full?: 'first';
  /** The same of config.json without `layer_types`; `period` when not given. */
  readonly interval?: (config: Json) => number;
  /** `sliding_window` when config.json has none. */
  readonly window: number;
  /** llama.cpp assumes a window when the key is missing, so that it stands there in models without, too. */
  readonly assumed?: true;
  /** The converter writes a window that config.json names, whether a block has one or not. */
  readonly named?: true;
  /** The converter writes which blocks have a window, usual or not. */
  readonly listed?: true;
  /** `sliding_window: null` means that no block has a window, whatever the list says. */
  readonly nullable?: true;
}

/** True for the blocks with a window. */
const windowed = (config: Json, { period, interval = () => period, nullable }: WindowLayers): boolean[] =>
  layerTypes(config, kinds, everyNth(interval(config), 'sliding_attention', 'full_attention')).map(
    (kind) => kind === 'sliding_attention' && !(nullable && config.sliding_window === null),
  );

const usual = (blocks: number, { period, full }: Pick<WindowLayers, 'period' | 'full'>): boolean[] =>
  Array.from({ length: blocks }, (_, block) => (full === 'first' ? block : block + 1) % period !== 0);

/** The keys of a model with such blocks: its window, and which blocks have it where that is unusual. */
export function windowLayerKeys(layers: WindowLayers): ConfigRule[] {
  const { window, assumed = false, named = false, listed = false } = layers;
  const isWritten = (config: Json) =>
    assumed || (named && !isAbsent(config.sliding_window)) || windowed(config, layers).includes(true);
  return [
    {
      gguf: ['attention.sliding_window'],
      type: 'uint32',
      made: (config) => {
        const size = isAbsent(config.sliding_window) ? window : count(config, 'sliding_window');
        return isWritten(config) ? size : undefined;
      },
      back: (numbers) => {
        const size = numbers.at('attention.sliding_window');
        return size === undefined ? {} : { sliding_window: size };
      },
    },
    {
      gguf: ['attention.sliding_window_pattern'],
      type: 'bool',
      made: (config) => {
        const pattern = windowed(config, layers);
        const isUsual = usual(pattern.length, layers).every((has, block) => has === pattern[block]);
        return (isUsual && !listed) || !isWritten(config) ? undefined : pattern;
      },
      back: (numbers) => ({ layer_types: patternOf(numbers, layers).map((has) => kinds[has ? 0 : 1]) }),
    },
  ];
}

function patternOf(numbers: ModelNumbers, layers: WindowLayers): boolean[] {
  const blocks = numbers.blocks - numbers.draftBlocks;
  if (!numbers.at('attention.sliding_window')) return Array<boolean>(blocks).fill(false);
  const pattern = numbers.list('attention.sliding_window_pattern');
  return pattern ? pattern.slice(0, blocks).map((has) => has === 1) : usual(blocks, layers);
}

/** The window of each block, undefined where it sees everything. */
export function readWindows(
  read: NetworkReader,
  blocks: number,
  period: number,
  full?: WindowLayers['full'],
): (number | undefined)[] {
  const window = read.optionalInteger('attention.sliding_window', 0, 0, 1 << 30);
  const key = 'attention.sliding_window_pattern';
  const pattern = read.has(key) ? read.switchPerLayer(key, blocks) : usual(blocks, { period, full });
  return pattern.map((has) => (has && window > 0 ? window : undefined));
}
