// The parameter structs of llama.h (0.5.0), field by field: koffi passes and returns them by value.
// `defaults` of each function fills them, so only the fields that tests change have meaning here.
import { type Koffi, libraries } from './library.ts';

/** `GGML_TYPE_COUNT` of this llama.cpp; in the quantization parameters it means "no override". */
export const GGML_TYPE_COUNT = 43;

function define(koffi: Koffi) {
  const modelParams = koffi.struct('llama_model_params', {
    devices: 'void *',
    tensor_buft_overrides: 'void *',
    n_gpu_layers: 'int32_t',
    split_mode: 'int',
    load_mode: 'int',
    lazy_mode: 'int',
    main_gpu: 'int32_t',
    tensor_split: 'void *',
    progress_callback: 'void *',
    progress_callback_user_data: 'void *',
    kv_overrides: 'void *',
    vocab_only: 'bool',
    check_tensors: 'bool',
    use_extra_bufts: 'bool',
    no_host: 'bool',
    no_alloc: 'bool',
    load_mtp: 'bool',
  });
  const contextParams = koffi.struct('llama_context_params', {
    n_ctx: 'uint32_t',
    n_batch: 'uint32_t',
    n_ubatch: 'uint32_t',
    n_seq_max: 'uint32_t',
    n_rs_seq: 'uint32_t',
    n_outputs_max: 'uint32_t',
    n_outputs_max_per_seq: 'uint32_t',
    n_threads: 'int32_t',
    n_threads_batch: 'int32_t',
    ctx_type: 'int',
    rope_scaling_type: 'int',
    pooling_type: 'int',
    attention_type: 'int',
    flash_attn_type: 'int',
    rope_freq_base: 'float',
    rope_freq_scale: 'float',
    yarn_ext_factor: 'float',
    yarn_attn_factor: 'float',
    yarn_beta_fast: 'float',
    yarn_beta_slow: 'float',
    yarn_orig_ctx: 'uint32_t',
    defrag_thold: 'float',
    cb_eval: 'void *',
    cb_eval_user_data: 'void *',
    type_k: 'int',
    type_v: 'int',
    abort_callback: 'void *',
    abort_callback_data: 'void *',
    embeddings: 'bool',
    offload_kqv: 'bool',
    no_perf: 'bool',
    op_offload: 'bool',
    swa_full: 'bool',
    kv_unified: 'bool',
    samplers: 'void *',
    n_samplers: 'size_t',
    ctx_other: 'void *',
  });
  const batch = koffi.struct('llama_batch', {
    n_tokens: 'int32_t',
    token: 'void *',
    embd: 'void *',
    pos: 'void *',
    n_seq_id: 'void *',
    seq_id: 'void *',
    logits: 'void *',
  });
  const quantizeParams = koffi.struct('llama_model_quantize_params', {
    nthread: 'int32_t',
    ftype: 'int',
    output_tensor_type: 'int',
    token_embedding_type: 'int',
    allow_requantize: 'bool',
    quantize_output_tensor: 'bool',
    only_copy: 'bool',
    pure: 'bool',
    keep_split: 'bool',
    dry_run: 'bool',
    imatrix: 'void *',
    kv_overrides: 'void *',
    tt_overrides: 'void *',
    prune_layers: 'void *',
    max_buf_size: 'size_t',
  });
  return { modelParams, contextParams, batch, quantizeParams };
}

let defined: ReturnType<typeof define> | undefined;

/** The structs, after checking that the library's own defaults land where this file puts the fields. */
export function structs(): ReturnType<typeof define> {
  if (defined) return defined;
  const { koffi, llama } = libraries();
  const types = define(koffi);
  const context = llama.func('llama_context_default_params', types.contextParams, [])();
  const quantize = llama.func('llama_model_quantize_default_params', types.quantizeParams, [])();
  const model = llama.func('llama_model_default_params', types.modelParams, [])();
  const asExpected =
    context.n_ctx === 512 &&
    context.yarn_beta_slow === -1 &&
    context.type_v === 1 &&
    context.offload_kqv === true &&
    model.n_gpu_layers === -1 &&
    model.use_extra_bufts === true &&
    quantize.token_embedding_type === GGML_TYPE_COUNT &&
    quantize.quantize_output_tensor === true;
  if (!asExpected) throw new Error('llama.h of the installed llama.cpp no longer matches test/oracle/src/structs.ts');
  defined = types;
  return types;
}
