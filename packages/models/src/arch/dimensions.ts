// The sizes that tensor shapes are made of, by name, computed from GGUF metadata alone: a lens writes the same keys as a
// file has, so both directions share them.
import type { Architecture } from './architecture.ts';
import type { ModelNumbers } from './model-numbers.ts';

/** Sizes that every architecture may name in shapes; each counts scalars unless it says otherwise. */
export type StandardDimension =
  | 'vocab' // rows of the embedding in GGUF
  | 'storedVocab' // rows of the embedding in the checkpoint
  | 'embd'
  | 'embdTwice'
  | 'ff'
  | 'ffTwice'
  | 'heads' // a count
  | 'kvHeads' // a count
  | 'headDim' // of q and k
  | 'valueDim' // of v
  | 'q'
  | 'k'
  | 'v'
  | 'attnOut'
  | 'qkv' // q, k and v together
  | 'positions' // learned ones
  | 'tokenTypes' // a count
  | 'ropePairs'
  | 'experts' // a count
  | 'expertFf'
  | 'sharedFf'
  | 'ssmGroups' // a count
  | 'ssmHeads' // a count
  | 'ssmState'
  | 'ssmInner'
  | 'ssmTaps'
  | 'one';

/** A record may have dimensions of its own (`Architecture.sizes`). */
export type Dimension = StandardDimension | (string & {});

export type Dimensions = Readonly<Record<string, number>>;

/** Of one block, or of the tensors of no block. */
export function sizesOf(
  architecture: Pick<Architecture, 'name' | 'sizes'>,
  numbers: ModelNumbers,
  block?: number,
): Dimensions {
  const standard = standardSizes(architecture, numbers, block);
  return architecture.sizes ? { ...standard, ...architecture.sizes(numbers, block, standard) } : standard;
}

function standardSizes(
  { name }: Pick<Architecture, 'name'>,
  numbers: ModelNumbers,
  block?: number,
): Record<StandardDimension, number> {
  const at = (key: string, fallback = 0) => numbers.at(key, block) ?? fallback;
  const embd = at('embedding_length');
  const ff = at('feed_forward_length');
  const heads = at('attention.head_count');
  const kvHeads = at('attention.head_count_kv', heads);
  const even = Math.floor(embd / heads);
  const windowed = block !== undefined && numbers.isTrue('attention.sliding_window_pattern', block);
  const headSize = (key: string) => (windowed ? numbers.at(`${key}_swa`, block) : undefined) ?? at(key, even);
  const [headDim, valueDim] = [headSize('attention.key_length'), headSize('attention.value_length')];
  const used = at('expert_used_count', 1);
  // llama.cpp reads no widths for the experts of `llama`, and for the others falls back on the same divisions
  // (src/models/qwen2moe.cpp, qwen3moe.cpp).
  const expertFf = at('expert_feed_forward_length', name === 'llama' ? ff : Math.max(1, Math.floor(ff / used)));
  return {
    vocab: numbers.vocab,
    storedVocab: numbers.storedVocab,
    embd,
    embdTwice: 2 * embd,
    ff,
    ffTwice: 2 * ff,
    heads,
    kvHeads,
    headDim,
    valueDim,
    q: heads * headDim,
    k: kvHeads * headDim,
    v: kvHeads * valueDim,
    attnOut: heads * valueDim,
    qkv: heads * headDim + kvHeads * (headDim + valueDim),
    positions: at('context_length'),
    tokenTypes: numbers.tokenTypes,
    ropePairs: at('rope.dimension_count', headDim) / 2,
    experts: at('expert_count'),
    expertFf,
    sharedFf: at(
      'expert_shared_feed_forward_length',
      numbers.has('expert_shared_count') ? at('expert_shared_count') * expertFf : ff,
    ),
    ssmGroups: at('ssm.group_count'),
    ssmHeads: at('ssm.time_step_rank'),
    ssmState: at('ssm.state_size'),
    ssmInner: at('ssm.inner_size'),
    ssmTaps: at('ssm.conv_kernel'),
    one: 1,
  };
}
