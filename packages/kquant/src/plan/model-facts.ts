// What the mixture rules need to know about a model, straight from its metadata: so any GGUF can be quantized, also
// one whose architecture quern cannot run.
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';

export interface ModelFacts {
  /** `general.architecture`. */
  readonly architecture: string;
  readonly layers: number;
  /** The last of them that predict further tokens (MTP). */
  readonly draftLayers: number;
  /** Heads that share a KV head at layer 0, rounded down; 0 without attention (llama-hparams.cpp `n_gqa`). */
  readonly headsPerKvHead: number;
  /** 0 for a dense model. */
  readonly experts: number;
  /** llama.cpp's LLM_TYPE_70B, which decides one rule. */
  readonly is70B: boolean;
}

/** Layer counts that llama.cpp calls 70B (src/models/*.cpp); `grouped`: only with fewer KV heads than heads. */
const models70B: Readonly<Record<string, { layers: number; grouped?: boolean }>> = {
  llama: { layers: 80, grouped: true },
  qwen2: { layers: 80 },
  deci: { layers: 80 },
  olmo: { layers: 80 },
  jais2: { layers: 68 },
};

/** @throws QuernError `metadata-missing` without an architecture or a layer count. */
export function modelFacts(metadata: GgufMetadata, file: string): ModelFacts {
  const architecture = metadata.get('general.architecture');
  if (architecture?.type !== 'string')
    throw new QuernError('metadata-missing', 'general.architecture is missing: this file is not a model.', { file });
  const arch = String(architecture.value);

  // Heads may be given per layer; llama.cpp looks at layer 0.
  const number = (key: string): number | undefined => {
    const value = metadata.get(`${arch}.${key}`)?.value;
    const first = Array.isArray(value) ? value[0] : value;
    return typeof first === 'number' || typeof first === 'bigint' ? Number(first) : undefined;
  };
  const layers = number('block_count');
  if (layers === undefined)
    throw new QuernError('metadata-missing', `${arch}.block_count is missing: the mixture depends on it.`, { file });

  const heads = number('attention.head_count') ?? 0;
  const kvHeads = number('attention.head_count_kv') ?? heads;
  const known = models70B[arch];
  return {
    architecture: arch,
    layers,
    draftLayers: number('nextn_predict_layers') ?? 0,
    headsPerKvHead: kvHeads > 0 ? Math.floor(heads / kvHeads) : 0,
    experts: number('expert_count') ?? 0,
    is70B: known !== undefined && known.layers === layers && (!known.grouped || heads !== kvHeads),
  };
}
