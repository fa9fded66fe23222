// Small GGUF models of any depth, with the keys that llama.cpp wants before it quantizes and seeded weights.
import { dtypeByName } from '@quern/blocks';
import { type GgufMetadata, type GgufValue, GgufWriter } from '@quern/gguf';
import { gaussian, seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';

export interface SyntheticModel {
  layers: number;
  /** Default `llama`. */
  architecture?: string;
  /** Weights per row of every matrix; default 256. */
  cols?: number;
  heads?: number;
  kvHeads?: number;
  /** Has an output.weight. */
  untied?: boolean;
  experts?: number;
  /** attn_qkv instead of attn_q, attn_k, attn_v. */
  fusedQkv?: boolean;
  /** Does not say what type it is. */
  noFileType?: boolean;
}

const rows = 2;

export async function writeSyntheticGguf(path: string, model: SyntheticModel): Promise<void> {
  const tensors = shapes(model).map(([name, shape]) => ({ name, shape, dtype: dtypeByName('F32') }));
  const writer = await GgufWriter.create(path, { metadata: metadata(model), tensors });
  const normal = gaussian(seededRandom(model.layers));
  for (const { name, shape } of tensors) {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, normal);
    await writer.write(name, new Uint8Array(values.buffer));
  }
  await writer.finish();
}

function shapes({ layers, cols = 256, untied, experts = 0, fusedQkv }: SyntheticModel): [string, number[]][] {
  const matrix = [rows, cols];
  const found: [string, number[]][] = [
    ['token_embd.weight', matrix],
    ['output_norm.weight', [cols]],
  ];
  if (untied) found.push(['output.weight', matrix]);
  // Layers from the last to the first: the order in the file must not matter.
  for (let layer = layers - 1; layer >= 0; layer--) {
    const names = fusedQkv ? ['attn_qkv', 'attn_output'] : ['attn_q', 'attn_k', 'attn_v', 'attn_output'];
    for (const name of names) found.push([`blk.${layer}.${name}.weight`, matrix]);
    for (const name of ['ffn_gate', 'ffn_up', 'ffn_down']) {
      if (experts > 0) found.push([`blk.${layer}.${name}_exps.weight`, [experts, ...matrix]]);
      else found.push([`blk.${layer}.${name}.weight`, matrix]);
    }
    if (experts > 0) found.push([`blk.${layer}.ffn_gate_inp.weight`, [experts, cols]]);
    found.push([`blk.${layer}.attn_norm.weight`, [cols]], [`blk.${layer}.attn_q.bias`, [cols]]);
  }
  return found;
}

function metadata({
  layers,
  architecture = 'llama',
  cols = 256,
  heads = 4,
  kvHeads = 2,
  experts,
  noFileType,
}: SyntheticModel): GgufMetadata {
  const uint32 = (value: number) => ({ type: 'uint32' as const, value });
  const result: GgufMetadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.file_type', uint32(0)],
    [`${architecture}.block_count`, uint32(layers)],
    [`${architecture}.context_length`, uint32(128)],
    [`${architecture}.embedding_length`, uint32(cols)],
    [`${architecture}.feed_forward_length`, uint32(cols)],
    [`${architecture}.attention.head_count`, uint32(heads)],
    [`${architecture}.attention.head_count_kv`, uint32(kvHeads)],
    [`${architecture}.attention.layer_norm_rms_epsilon`, { type: 'float32', value: Math.fround(1e-5) }],
    [`${architecture}.attention.layer_norm_epsilon`, { type: 'float32', value: Math.fround(1e-5) }],
    [`${architecture}.vocab_size`, uint32(rows)],
    ['split.no', { type: 'uint16', value: 0 }],
    ['split.count', { type: 'uint16', value: 0 }],
  ]);
  if (noFileType) result.delete('general.file_type');
  if (experts) {
    result.set(`${architecture}.expert_count`, uint32(experts));
    result.set(`${architecture}.expert_used_count`, uint32(2));
  }
  return result;
}

/** Importance of the columns of every matrix of the model but the embedding, as llama-imatrix measures it; seeded. */
export function syntheticImatrix(model: SyntheticModel): Map<string, Float32Array> {
  const random = seededRandom(model.layers + 1);
  const matrices = shapes(model).filter(
    ([name, shape]) => shape.length > 1 && name.endsWith('.weight') && name !== 'token_embd.weight',
  );
  return new Map(
    matrices.map(([name, shape]) => {
      const length = shape.at(-1)! * (shape.at(-3) ?? 1);
      return [name, Float32Array.from({ length }, () => 0.01 + random())];
    }),
  );
}
