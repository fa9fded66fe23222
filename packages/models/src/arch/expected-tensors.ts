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
  };
}

export interface ExpectedTensor {
  rule: TensorRule;
  hf?: string;
  gguf: string;
  shape: readonly number[];
}

const numbered = (name: string, block: number) => name.replace('{i}', String(block));

/** Every rule of the record, once per block where it is a block's. */
export function expectedTensors(architecture: Architecture, sizes: ModelSizes, blockCount: number): ExpectedTensor[] {
  const dimensions = dimensionsOf(sizes);
  return architecture.tensors.flatMap((rule) => {
    const shape = rule.shape.map((dimension) => dimensions[dimension]);
    const blocks = rule.gguf.includes('{i}') ? blockCount : 1;
    return Array.from({ length: blocks }, (_, block) => ({
      rule,
      hf: rule.hf && numbered(rule.hf, block),
      gguf: numbered(rule.gguf, block),
      shape,
    }));
  });
}
