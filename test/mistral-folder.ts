// A checkpoint of transformers rewritten as Mistral publishes its models: params.json, consolidated.safetensors, and the
// tokenizer files that are given. It is the reverse of packages/checkpoint/src/mistral, written from the published folders.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { writeSafetensors } from '@quern/safetensors';

type Json = Record<string, unknown>;

const names: readonly [RegExp, string][] = [
  [/^(?:language_model\.)?(?:model\.)?layers\.(\d+)\.self_attn\.([qkvo])_proj\./, 'layers.$1.attention.w$2.'],
  [/^(?:language_model\.)?(?:model\.)?layers\.(\d+)\.input_layernorm\./, 'layers.$1.attention_norm.'],
  [/^(?:language_model\.)?(?:model\.)?layers\.(\d+)\.post_attention_layernorm\./, 'layers.$1.ffn_norm.'],
  [/^(?:language_model\.)?(?:model\.)?layers\.(\d+)\.mlp\.gate_proj\./, 'layers.$1.feed_forward.w1.'],
  [/^(?:language_model\.)?(?:model\.)?layers\.(\d+)\.mlp\.down_proj\./, 'layers.$1.feed_forward.w2.'],
  [/^(?:language_model\.)?(?:model\.)?layers\.(\d+)\.mlp\.up_proj\./, 'layers.$1.feed_forward.w3.'],
  [/^(?:model\.)?layers\.(\d+)\.block_sparse_moe\./, 'layers.$1.feed_forward.'],
  [/^(?:language_model\.)?(?:model\.)?embed_tokens\./, 'tok_embeddings.'],
  [/^(?:language_model\.)?(?:model\.)?norm\./, 'norm.'],
  [/^(?:language_model\.)?lm_head\./, 'output.'],
  [/^vision_tower\./, 'vision_encoder.'],
  [/^multi_modal_projector\.patch_merger\./, 'patch_merger.'],
  [/^multi_modal_projector\.norm\./, 'pre_mm_projector_norm.'],
  [/^multi_modal_projector\.linear_1\./, 'vision_language_adapter.w_in.'],
  [/^multi_modal_projector\.linear_2\./, 'vision_language_adapter.w_out.'],
];

/** config.json's words to those of params.json. */
export function paramsOf(config: Json): Json {
  const text = (config.text_config ?? config) as Json;
  const rope = text.rope_parameters as Json;
  const isMinistral = text.model_type === 'ministral3';
  return {
    dim: text.hidden_size,
    n_layers: text.num_hidden_layers,
    head_dim: text.head_dim ?? (text.hidden_size as number) / (text.num_attention_heads as number),
    hidden_dim: text.intermediate_size,
    n_heads: text.num_attention_heads,
    n_kv_heads: text.num_key_value_heads,
    rope_theta: rope.rope_theta,
    norm_eps: text.rms_norm_eps,
    vocab_size: text.vocab_size,
    max_position_embeddings: text.max_position_embeddings,
    tied_embeddings: text.tie_word_embeddings,
    q_lora_rank: null,
    ...(text.model_type === 'mixtral' && {
      moe: { num_experts: text.num_local_experts, num_experts_per_tok: text.num_experts_per_tok },
    }),
    ...(isMinistral && {
      yarn: {
        original_max_position_embeddings: rope.original_max_position_embeddings,
        factor: rope.factor,
        beta: rope.beta_fast,
        alpha: rope.beta_slow,
        apply_scale: false,
      },
      llama_4_scaling: {
        original_max_position_embeddings: rope.original_max_position_embeddings,
        beta: rope.llama_4_scaling_beta,
      },
    }),
    ...(config.vision_config !== undefined && { vision_encoder: { hidden_size: 32, image_token_id: 10 } }),
  };
}

export interface MistralFolderOptions {
  /** tekken.json in place of the checkpoint's tokenizer. */
  tekken?: string;
  /** Changes params.json. */
  params?: (params: Json) => Json;
}

/** Writes the folder `target`. */
export async function writeMistralFolder(
  source: string,
  target: string,
  { tekken, params = (same) => same }: MistralFolderOptions = {},
): Promise<void> {
  mkdirSync(target, { recursive: true });
  const checkpoint = await openHfCheckpoint(source);
  const made = paramsOf(checkpoint.config);
  const tensors = [...checkpoint.tensors.values()].map((view) => {
    const own = names.find(([pattern]) => pattern.test(view.name));
    const name = own ? view.name.replace(...own) : view.name;
    const heads = /\.wq\./.test(name) ? made.n_heads : /\.wk\./.test(name) ? made.n_kv_heads : undefined;
    return { view, name, heads: heads as number | undefined };
  });
  const entries = await Promise.all(
    tensors.map(async ({ view, name, heads }) => ({
      name,
      dtype: view.dtype,
      shape: view.shape,
      bytes: heads === undefined ? await bytesOf(view) : inPairs(await bytesOf(view), view, heads),
    })),
  );
  await writeSafetensors(
    join(target, 'consolidated.safetensors'),
    entries.map(({ name, dtype, shape, bytes }) => ({ name, dtype, shape, data: [bytes] })),
  );
  await checkpoint.close();
  writeFileSync(join(target, 'params.json'), JSON.stringify(params(made), null, 2));
  if (tekken !== undefined) return writeFileSync(join(target, 'tekken.json'), tekken);
  if (existsSync(join(source, 'tokenizer.model'))) {
    copyFileSync(join(source, 'tokenizer.model'), join(target, 'tokenizer.model.v3'));
  } else
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      writeFileSync(join(target, name), readFileSync(join(source, name)));
}

async function bytesOf(view: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(view.rows * view.rowBytes);
  await view.readRows(0, view.rows, bytes);
  return bytes;
}

/** Rows j and j + half of each head become 2j and 2j + 1. */
function inPairs(bytes: Uint8Array, { rows, rowBytes }: TensorView, heads: number): Uint8Array {
  const paired = new Uint8Array(bytes.length);
  const headRows = rows / heads;
  for (let head = 0; head < heads; head++) {
    for (let j = 0; j < headRows / 2; j++) {
      for (const second of [0, 1]) {
        const from = head * headRows + j + (second * headRows) / 2;
        const to = head * headRows + 2 * j + second;
        paired.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), to * rowBytes);
      }
    }
  }
  return paired;
}
