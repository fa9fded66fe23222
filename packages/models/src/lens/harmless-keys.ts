// Keys of config.json that say nothing about the numbers of a text model, and why. Everything else must be read by the
// record of the architecture, or it is refused (`unread-keys.ts`). Names: transformers configuration_utils.py and the
// configuration classes of the models, and what training tools leave behind.

/** Names that have one meaning everywhere. */
const names: readonly string[] = [
  // Where it comes from, and how it is loaded.
  ...['architectures', 'model_type', 'transformers_version', 'auto_map', 'custom_pipelines', 'library_name', 'license'],
  ...['_name_or_path', 'name_or_path', 'dtype', 'torch_dtype', 'params_dtype', 'attn_implementation', 'use_flash_attn'],
  ...[
    'use_flash_attention',
    'use_flash_attention_2',
    'flash_attention',
    'attention_implementation',
    'mamba_ssm_cache_dtype',
  ],
  ...[
    'use_mamba_kernels',
    'mamba_chunk_size',
    'chunk_size',
    'language',
    'finetuning_task',
    'problem_type',
    'torchscript',
  ],
  ...['use_bfloat16', 'tokenizer_class', 'prefix', 'task_specific_params', 'id2label', 'label2id', 'num_labels'],
  ...['return_dict', 'output_hidden_states', 'output_attentions', 'tf_legacy_loss', 'chunk_size_feed_forward'],
  ...['cross_attention_hidden_size', 'add_cross_attention', 'is_encoder_decoder', 'is_decoder', 'tie_encoder_decoder'],
  ...['pruned_heads', 'quantization_config', 'compression_config', 'quantization', 'sparsity_config', 'fp8_config'],
  // How it is run: caches, batches, sharding.
  ...['use_cache', 'cache_implementation', 'num_logits_to_keep', 'pretraining_tp', 'tp_size', 'ep_size', 'world_size'],
  ...['gradient_checkpointing', 'use_gradient_checkpointing', 'kv_cache_dtype'],
  // How it was trained.
  ...['initializer_range', 'initializer_cutoff_factor', 'mup_base_width', 'rescale_prenorm_residual', 'seq_aux'],
  ...['residual_in_fp32', 'time_step_min', 'time_step_max', 'time_step_floor', 'fused_ops', 'loss_type'],
  ...['output_router_logits', 'moe_norm_min', 'use_aux_loss', 'aux_loss_alpha', 'router_bias_update_rate'],
  ...['mtp_loss_scaling_factor', 'num_items_in_batch', 'ignore_index', 'deterministic_flash_attn', 'moe_dropout'],
  ...['unsloth_fixed', 'unsloth_version', 'max_trained_positions', 'neftune_noise_alpha', 'training', 'save_step'],
  // How text is generated; generation_config.json says it again.
  ...['max_length', 'min_length', 'max_new_tokens', 'do_sample', 'early_stopping', 'num_beams', 'num_beam_groups'],
  ...[
    'temperature',
    'top_k',
    'top_p',
    'min_p',
    'typical_p',
    'repetition_penalty',
    'length_penalty',
    'diversity_penalty',
  ],
  ...[
    'no_repeat_ngram_size',
    'encoder_no_repeat_ngram_size',
    'bad_words_ids',
    'num_return_sequences',
    'suppress_tokens',
  ],
  ...['begin_suppress_tokens', 'exponential_decay_length_penalty', 'remove_invalid_values', 'return_dict_in_generate'],
  ...['output_scores', 'assistant_early_exit', 'use_dual_chunk_attention', 'dual_chunk_attention_config'],
  // Classification heads of GPT-2, which no text model has.
  ...['summary_activation', 'summary_proj_to_labels', 'summary_type', 'summary_use_proj', 'classifier_activation'],
  ...['classifier_bias', 'classifier_pooling', 'pooler_hidden_size', 'position_embedding_size'],
];

/** Families of names. */
const patterns: readonly RegExp[] = [
  /^_/, // private to transformers
  /dropout/,
  /_pdrop$/,
  /_token_(id|index|ids)$/,
  /_token$/,
  /^(router|moe|aux|mtp|z)_.*(loss|jitter).*$/,
  /loss_(coef|coeff|coefficient|weight|alpha|scale)$/,
  /jitter_noise$/,
  /^initializ/,
  /_init(_std|_method|ializer.*)?$/,
  /^summary_/,
  /^unsloth_/,
  /^wandb|^mlflow/,
];

const known = new Set(names);

export const isHarmless = (key: string): boolean => known.has(key) || patterns.some((pattern) => pattern.test(key));
