// The tensors a model of an architecture consists of, with their exact shapes: what preflight demands of a checkpoint
// and what loading demands of a GGUF file.
import type { Architecture, Dimension, TensorRule } from './architecture.ts';

export type Dimensions = Readonly<Record<Dimension, number>>;

/** The sizes that tensor shapes are made of, in scalars. */
export interface ModelSizes {
  vocabSize: number;
  embeddingLength: number;
  feedForwardLength: number;
  headCount: number;
  headCountKv: number;
  keyLength: number;
  valueLength: number;
  ropeDimensionCount: number;
  /** Undefined for a dense model. */
  experts?: ExpertSizes;
}

export interface ExpertSizes {
  count: number;
  feedForwardLength: number;
  /** Width of the expert that every token uses; 0 when there is none. */
  sharedFeedForwardLength: number;
}

export function dimensionsOf(sizes: ModelSizes): Dimensions {
  return {
    vocab: sizes.vocabSize,
    embd: sizes.embeddingLength,
    ff: sizes.feedForwardLength,
    q: sizes.headCount * sizes.keyLength,
    k: sizes.headCountKv * sizes.keyLength,
    v: sizes.headCountKv * sizes.valueLength,
    attnOut: sizes.headCount * sizes.valueLength,
    headDim: sizes.keyLength,
    ropePairs: sizes.ropeDimensionCount / 2,
    experts: sizes.experts?.count ?? 0,
    expertFf: sizes.experts?.feedForwardLength ?? 0,
    sharedFf: sizes.experts?.sharedFeedForwardLength ?? 0,
    one: 1,
  };
}

/** A tensor of the checkpoint. */
export interface ExpectedSource {
  name: string;
  shape: readonly number[];
}

export interface ExpectedTensor {
  rule: TensorRule;
  /** What the checkpoint stores of it: one tensor, one per expert, or none when the lens computes it. */
  sources: readonly ExpectedSource[];
  gguf: string;
  shape: readonly number[];
  /** Number of the block it belongs to. */
  block?: number;
}

const inBlock = (name: string, block: number) => name.replace('{i}', String(block));

/** Every rule of the record, once per block where it is a block's. */
export function expectedTensors(architecture: Architecture, sizes: ModelSizes, blockCount: number): ExpectedTensor[] {
  const dimensions = dimensionsOf(sizes);
  return architecture.tensors.flatMap((rule): ExpectedTensor[] => {
    const shape = rule.shape.map((dimension) => dimensions[dimension]);
    if (!rule.gguf.includes('{i}')) return [{ rule, sources: sourcesOf(rule.hf, shape), gguf: rule.gguf, shape }];
    return Array.from({ length: blockCount }, (_, block) => ({
      rule,
      sources: sourcesOf(rule.hf && inBlock(rule.hf, block), shape),
      gguf: inBlock(rule.gguf, block),
      shape,
      block,
    }));
  });
}

function sourcesOf(hf: string | undefined, shape: readonly number[]): ExpectedSource[] {
  if (hf === undefined) return [];
  if (!hf.includes('{j}')) return [{ name: hf, shape }];
  const [experts, ...each] = shape;
  return Array.from({ length: experts! }, (_, expert) => ({ name: hf.replace('{j}', String(expert)), shape: each }));
}
