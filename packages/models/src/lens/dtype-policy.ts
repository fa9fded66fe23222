// Which type a tensor gets in a converted file. The rules are prepare_tensors of llama.cpp's conversion/base.py: what
// most kernels handle as float32 only stays float32, everything else gets the file's type.
import { type DType, dtypeByName } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';

/** File types that conversion writes without a mixture, with their `general.file_type` (llama.h `llama_ftype`). */
export const plainFileTypes = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 } as const;
export type PlainFileType = keyof typeof plainFileTypes;

/** Matrices that are float32 in every file: routers, position tables, small state matrices. */
const alwaysF32 = [
  'ffn_gate_inp',
  'ffn_gate_inp_shexp',
  'position_embd',
  'token_types',
  'ssm_conv1d',
  'ssm_conv1d_q',
  'ssm_conv1d_k',
  'ssm_conv1d_v',
  'shortconv.conv',
  'time_mix_first',
  'time_mix_w1',
  'time_mix_w2',
  'time_mix_decay_w1',
  'time_mix_decay_w2',
  'time_mix_lerp_fused',
];

const named = (name: string): DType => {
  const dtype = dtypeByName(name);
  if (dtype) return dtype;
  throw new QuernError('unknown-dtype', `There is no type ${name}.`);
};

/**
 * The stored type of tensor `name` (GGUF name) in a file of type `fileType`.
 * A Q8_0 row that is no multiple of 32 falls back to F16, as in the converter.
 */
export function convertedDtype(name: string, shape: readonly number[], fileType: PlainFileType): DType {
  const bare = name.replace(/\.weight$/, '').replace(/^blk\.\d+\./, '');
  if (shape.length <= 1 || name.endsWith('_norm.weight')) return named('F32');
  if (alwaysF32.includes(bare) || !/\.(weight|lora_a|lora_b)$/.test(name)) return named('F32');
  const dtype = named(fileType);
  return (shape.at(-1) ?? 1) % dtype.blockSize === 0 ? dtype : named('F16');
}

/** `--type auto`: the type of the first matrix that is BF16 or F16; F16 when there is none (a float32 checkpoint). */
export function guessFileType(tensors: Iterable<TensorView>): 'BF16' | 'F16' {
  for (const { dtype, shape } of tensors) {
    if (shape.length >= 2 && (dtype.name === 'BF16' || dtype.name === 'F16')) return dtype.name;
  }
  return 'F16';
}

/** The type that config.json names for everything that is not packed. */
export function namedFileType({ dtype, torch_dtype }: Readonly<Record<string, unknown>>): 'BF16' | 'F16' | undefined {
  const name = dtype ?? torch_dtype;
  return name === 'bfloat16' ? 'BF16' : name === 'float16' ? 'F16' : undefined;
}
