// The text model of Qwen 3 VL (dense): Qwen 3, whose rope is cut into sections for the positions of pictures; for text they
// are all the same. Pictures enter between the first blocks (deepstack), which text does without.
import type { Architecture, ConfigRule } from './architecture.ts';
import { denseConfig, fixedForDense } from './dense.ts';
import { qwen3 } from './qwen3.ts';

/** How many blocks take something of a picture; a text model that stands alone does not know. */
export const deepstackLayers: ConfigRule = {
  gguf: ['n_deepstack_layers'],
  type: 'uint32',
  made: ({ vision_config: tower }) => tower && (tower.deepstack_visual_indexes?.length ?? 0),
};

/** What both records of Qwen 3 VL share. */
export const qwen3vlFamily = {
  ignored: ['rope_parameters.mrope_interleaved', 'rope_scaling.mrope_interleaved'],
  rope: { types: ['default', 'linear', 'yarn'], theta: 500000, sections: true },
  slidingWindow: false,
  remarks: ['Exported without the tower: as Qwen3VLTextModel.'],
} as const satisfies Partial<Architecture>;

export const qwen3vl: Architecture = {
  ...qwen3vlFamily,
  family: 'qwen3vl',
  name: 'qwen3vl',
  hf: ['Qwen3VLTextModel', 'Qwen3VLForConditionalGeneration'],
  modelType: ['qwen3_vl_text', 'qwen3_vl'],
  config: [...denseConfig({ contextLength: 128000, kvHeads: 32, rmsEps: 1e-6, headDim: () => 128 }), deepstackLayers],
  fixed: [
    ...fixedForDense,
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for qwen3vl' },
  ],
  tensors: qwen3.tensors,
  network: qwen3.network!,
  awq: qwen3.awq,
};
