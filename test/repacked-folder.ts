// Checkpoints of test/models with their matrices packed anew, rounded to nearest, in formats that no folder there has.
// What is packed is told by its own reader, so codes need not be good: only their places are at stake.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codecOf, type DType, dtypeByName, f8E4m3ToF32 } from '@quern/blocks';
import { openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { type GroupedRows, packers } from '@quern/packed';
import { writeSafetensors } from '@quern/safetensors';

const models = join(import.meta.dirname, 'models');
const GROUP = 32;

interface Part {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

interface Matrix {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly cols: number;
  readonly values: Float32Array;
}

interface Repacking {
  /** Below test/models. */
  readonly model: string;
  readonly config: Record<string, unknown>;
  /** What becomes of a matrix of a layer. */
  pack(matrix: Matrix): readonly Part[];
  /** What is done to the checkpoint's tensors before. */
  readonly join?: (tensors: readonly Matrix[]) => readonly Matrix[];
}

export const repackings: Readonly<Record<string, Repacking>> = {
  'GPTQ, asymmetric': integers('gptq', false),
  'ModelOpt INT4': integers('modelopt', true),
  'compressed-tensors, BF16 scales': integers('compressed-tensors', true),
  'compressed-tensors, F32 scales': integers('compressed-tensors', true, 'F32'),
  'MLX, BF16 scales': integers('mlx', false),
  'ModelOpt NVFP4': {
    model: 'arch/llama3',
    config: { quantization_config: { quant_method: 'modelopt', quant_algo: 'NVFP4', group_size: 16 } },
    pack: nvfp4,
  },
  'MXFP4 experts': {
    model: 'arch/qwen3moe',
    config: { quantization_config: { quant_method: 'mxfp4', modules_to_not_convert: ['self_attn', 'router'] } },
    pack: mxfp4,
    join: fusedExperts,
  },
};

/** Into an empty folder; gives it back. */
export async function repackedFolder(format: string, folder: string): Promise<string> {
  const { model, config, pack, join: joined = (tensors) => tensors } = repackings[format]!;
  const from = join(models, model);
  const { tensors, close } = await openHfCheckpoint(from);
  const [matrices, others]: [Matrix[], Part[]] = [[], []];
  for (const tensor of tensors.values()) {
    const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
    await tensor.readRows(0, tensor.rows, bytes);
    if (isPacked(tensor)) matrices.push(decoded(tensor, bytes));
    else others.push({ name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, bytes });
  }
  await close();
  const parts = joined(matrices).flatMap((matrix) => pack(matrix));
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    [...others, ...parts].map(({ bytes, ...part }) => ({ ...part, data: [bytes] })),
  );
  const before = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...before, ...config }));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    copyFileSync(join(from, name), join(folder, name));
  return folder;
}

const isPacked = ({ name, shape }: TensorView): boolean => /_proj\.weight$/.test(name) && shape.length === 2;

function decoded({ name, shape, rows, cols, dtype }: TensorView, bytes: Uint8Array): Matrix {
  const values = new Float32Array(rows * cols);
  codecOf(dtype).decode(bytes, values);
  return { name, shape, rows, cols, values };
}

function integers(format: string, symmetric: boolean, scaleDType?: string): Repacking {
  const options = { bits: 4, groupSize: GROUP, symmetric, ...(scaleDType && { scaleDType }) };
  const packer = packers.get(format)!;
  const { quantization_config, extraConfig } = packer.config(
    options,
    { packed: [], plain: [] },
    { trueSequential: false },
  );
  return {
    model: 'arch/llama3',
    config: { quantization_config, ...extraConfig },
    pack(matrix) {
      const bytes = packer.pack(roundedToNearest(matrix, symmetric), options);
      return packer
        .tensorsOf(matrix.name, matrix.shape, options)
        .map(({ part, ...tensor }) => ({ ...tensor, bytes: bytes.get(part)! }));
    },
  };
}

function roundedToNearest({ rows, cols, values }: Matrix, symmetric: boolean): GroupedRows {
  const groups = values.length / GROUP;
  const [codes, scales, zeros] = [new Uint8Array(values.length), new Float32Array(groups), new Uint8Array(groups)];
  for (let g = 0; g < groups; g++) {
    const group = values.subarray(g * GROUP, (g + 1) * GROUP);
    const [low, high] = [Math.min(0, ...group), Math.max(0, ...group)];
    scales[g] = symmetric ? Math.max(-low, high) / 7 : (high - low) / 15;
    // GPTQ v1 cannot say zero.
    zeros[g] = symmetric ? 8 : Math.min(15, Math.max(1, Math.round(-low / scales[g]!)));
    for (const [i, value] of group.entries())
      codes[g * GROUP + i] = Math.min(15, Math.max(0, Math.round(value / scales[g]!) + zeros[g]!));
  }
  return { rows, cols, groupSize: GROUP, bits: 4, codes, scales, ...(!symmetric && { zeros }) };
}

const FP4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** Two numbers to a byte, the first in the low nibble. */
function fp4Bytes(values: Float32Array, block: number, scaleOf: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(values.length / 2);
  for (const [i, value] of values.entries()) {
    const size = Math.abs(value) / scaleOf(Math.floor(i / block));
    const nearest = FP4.reduce(
      (best, one, code) => (Math.abs(one - size) < Math.abs(FP4[best]! - size) ? code : best),
      0,
    );
    bytes[i >> 1]! |= (nearest | (value < 0 && nearest > 0 ? 8 : 0)) << (4 * (i & 1));
  }
  return bytes;
}

const largestOf = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function nvfp4({ name, rows, cols, values }: Matrix): Part[] {
  const second = Math.fround(largestOf(values) / (6 * 448));
  const e4m3 = Array.from({ length: 127 }, (_, byte) => f8E4m3ToF32(byte));
  const scales = Uint8Array.from({ length: values.length / 16 }, (_, block) => {
    const wanted = largestOf(values.subarray(16 * block, 16 * block + 16)) / 6 / second;
    return Math.max(
      1,
      e4m3.findLastIndex((scale) => scale <= wanted),
    );
  });
  const module = name.replace(/\.weight$/, '');
  const bytes = fp4Bytes(values, 16, (block) => e4m3[scales[block]!]! * second);
  const u8 = dtypeByName('U8');
  return [
    { name, dtype: u8, shape: [rows, cols / 2], bytes },
    { name: `${module}.weight_scale`, dtype: dtypeByName('F8_E4M3'), shape: [rows, cols / 16], bytes: scales },
    {
      name: `${module}.weight_scale_2`,
      dtype: dtypeByName('F32'),
      shape: [],
      bytes: new Uint8Array(Float32Array.of(second).buffer),
    },
    // Of activations, which are not rounded here.
    { name: `${module}.input_scale`, dtype: dtypeByName('F32'), shape: [], bytes: new Uint8Array(4) },
  ];
}

/** Experts of gpt-oss; what is no stack stays plain. */
function mxfp4({ name, shape, values }: Matrix): Part[] {
  if (shape.length !== 3) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return [{ name, dtype: dtypeByName('F32'), shape, bytes }];
  }
  const [experts, out, cols] = shape as [number, number, number];
  const scales = Uint8Array.from({ length: values.length / 32 }, (_, block) => {
    const most = largestOf(values.subarray(32 * block, 32 * block + 32));
    return 127 + (most === 0 ? 0 : Math.ceil(Math.log2(most / 6)));
  });
  const bytes = fp4Bytes(values, 32, (block) => 2 ** (scales[block]! - 127));
  const u8 = dtypeByName('U8');
  return [
    { name: `${name}_blocks`, dtype: u8, shape: [experts, out, cols / 32, 16], bytes },
    { name: `${name}_scales`, dtype: u8, shape: [experts, out, cols / 32], bytes: scales },
  ];
}

/** Experts apart → the two stacks of transformers 5: of each expert gate and up, and down. */
function fusedExperts(matrices: readonly Matrix[]): Matrix[] {
  const stacks = new Map<string, Matrix[]>();
  const others: Matrix[] = [];
  for (const matrix of matrices) {
    const found = /^(.*\.experts)\.\d+\.(gate|up|down)_proj\.weight$/.exec(matrix.name);
    if (!found) others.push(matrix);
    else {
      const name = `${found[1]}.${found[2] === 'down' ? 'down' : 'gate_up'}_proj`;
      stacks.set(name, [...(stacks.get(name) ?? []), matrix]);
    }
  }
  const order = ({ name }: Matrix) => [Number(/experts\.(\d+)/.exec(name)![1]), name.includes('gate') ? 0 : 1] as const;
  for (const [name, parts] of stacks) {
    parts.sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
    const perExpert = name.endsWith('gate_up_proj') ? 2 : 1;
    const { cols, rows } = parts[0]!;
    const values = new Float32Array(parts.length * rows * cols);
    for (const [i, part] of parts.entries()) values.set(part.values, i * rows * cols);
    const shape = [parts.length / perExpert, rows * perExpert, cols];
    others.push({ name, shape, rows: parts.length * rows, cols, values });
  }
  return others;
}
