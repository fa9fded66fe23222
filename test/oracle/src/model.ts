// A GGUF file opened by llama.cpp: its tokens, its pieces of text, its logits.
import { existsSync } from 'node:fs';
import { keepAlive, libraries } from './library.ts';
import { structs } from './structs.ts';

const FLASH_ATTENTION_OFF = 0;
const FLASH_ATTENTION_ON = 1;

/** `enum ggml_type` */
const kvTypes = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 8 } as const;

type RopeField =
  | 'rope_scaling_type'
  | 'rope_freq_base'
  | 'rope_freq_scale'
  | 'yarn_ext_factor'
  | 'yarn_attn_factor'
  | 'yarn_beta_fast'
  | 'yarn_beta_slow'
  | 'yarn_orig_ctx';

export interface NativeLogitsOptions {
  threads?: number;
  /**
   * Stored type of the KV cache; F32 (default) is what a comparison of arithmetic wants. Blocks of quantized values can
   * only be read by flash attention.
   */
  kvType?: keyof typeof kvTypes;
  /** Whether llama.cpp turns keys and values by a Hadamard matrix before it quantizes them, as it does. */
  rotateCache?: boolean;
  /** Fields of `llama_context_params` that scale positions. */
  rope?: Partial<Record<RopeField, number>>;
  /** Positions per native batch, default 512. */
  batchTokens?: number;
  /** Gets the time that llama_decode took for each batch, without the copying of its logits. */
  onDecoded?: (ms: number) => void;
  /** Milliseconds, for `onDecoded`; performance.now if absent. */
  clock?: () => number;
  /** LoRA adapters in GGUF. */
  adapters?: readonly { readonly path: string; readonly scale: number }[];
  /** Address of a `ggml_backend_sched_eval_callback`, called around every op. */
  evalCallback?: bigint;
}

export interface NativeTokenizeOptions {
  /** Adds BOS/EOS where the vocabulary asks for it. Default false. */
  addSpecial?: boolean;
  /** Reads control tokens such as `<|im_start|>` in the text as tokens. Default false. */
  parseSpecial?: boolean;
}

export interface NativeModel {
  /** Address of its `llama_vocab`, valid until it is closed. */
  readonly vocab: unknown;
  readonly vocabSize: number;
  readonly layers: number;
  tokenize(text: string, options?: NativeTokenizeOptions): number[];
  detokenize(ids: readonly number[], options?: { keepSpecial?: boolean }): string;
  /** Logits of every position, row-major [ids.length, vocabSize]. */
  logits(ids: readonly number[], options?: NativeLogitsOptions): Float32Array;
  /** Decodes one token of each of `sequences` texts `steps` times; the milliseconds of each step by `clock`. */
  decodeTogether(sequences: number, steps: number, options?: { threads?: number; clock?: () => number }): number[];
  close(): void;
}

/** Opens `path`. @throws Error when llama.cpp refuses the file */
export function openNativeModel(path: string, options: { vocabOnly?: boolean } = {}): NativeModel {
  if (!existsSync(path)) throw new Error(`${path} does not exist`);
  const { koffi, llama } = libraries();
  const { modelParams } = structs();
  const params = llama.func('llama_model_default_params', modelParams, [])();
  params.vocab_only = options.vocabOnly ?? false;
  params.n_gpu_layers = 0;
  const model = llama.func('llama_model_load_from_file', 'void *', ['str', modelParams])(path, params);
  if (!model) throw new Error(`llama.cpp cannot load ${path}`);
  const vocab = llama.func('const void *llama_model_get_vocab(const void *model)')(model);
  const vocabSize: number = llama.func('int32_t llama_vocab_n_tokens(const void *vocab)')(vocab);
  const layers: number = llama.func('int32_t llama_model_n_layer(const void *model)')(model);

  const tokenizeCall = llama.func(
    'int32_t llama_tokenize(const void *vocab, const void *text, int32_t length, void *tokens, int32_t max, bool special, bool parse)',
  );
  const detokenizeCall = llama.func(
    'int32_t llama_detokenize(const void *vocab, const void *tokens, int32_t count, void *text, int32_t max, bool remove, bool unparse)',
  );
  return {
    vocab,
    vocabSize,
    layers,
    tokenize(text, { addSpecial = false, parseSpecial = false } = {}) {
      const bytes = Buffer.from(text);
      // No token covers less than one byte, save the specials that are added around the text and escaped spaces.
      const tokens = new Int32Array(bytes.length * 2 + 16);
      const count = tokenizeCall(vocab, bytes, bytes.length, tokens, tokens.length, addSpecial, parseSpecial);
      if (count < 0) throw new Error(`llama_tokenize needs ${-count} places`);
      return Array.from(tokens.subarray(0, count));
    },
    detokenize(ids, { keepSpecial = false } = {}) {
      const tokens = Int32Array.from(ids);
      let text = Buffer.alloc(ids.length * 16 + 64);
      let length = detokenizeCall(vocab, tokens, tokens.length, text, text.length, false, keepSpecial);
      if (length < 0) {
        text = Buffer.alloc(-length);
        length = detokenizeCall(vocab, tokens, tokens.length, text, text.length, false, keepSpecial);
      }
      return text.toString('utf8', 0, length);
    },
    logits: (ids, logitsOptions) => decodeAll(model, vocabSize, ids, logitsOptions ?? {}),
    decodeTogether: (sequences, steps, { threads = 1, clock = () => performance.now() } = {}) =>
      decodeTogether(model, sequences, steps, threads, clock),
    close: () => void llama.func('void llama_model_free(void *model)')(model),
  };

  function decodeAll(model: unknown, vocabSize: number, ids: readonly number[], options: NativeLogitsOptions) {
    const { contextParams } = structs();
    const batchTokens = Math.min(options.batchTokens ?? 512, ids.length);
    const params = llama.func('llama_context_default_params', contextParams, [])();
    params.n_ctx = ids.length;
    params.n_batch = params.n_ubatch = batchTokens;
    params.n_outputs_max = params.n_outputs_max_per_seq = 0; // every position is an output
    params.n_threads = params.n_threads_batch = options.threads ?? 1;
    const { kvType = 'F32', rotateCache = true } = options;
    if (rotateCache) delete process.env.LLAMA_ATTN_ROT_DISABLE;
    else process.env.LLAMA_ATTN_ROT_DISABLE = '1';
    params.type_k = params.type_v = kvTypes[kvType];
    params.flash_attn_type = kvType.startsWith('Q') ? FLASH_ATTENTION_ON : FLASH_ATTENTION_OFF;
    Object.assign(params, options.rope);
    params.cb_eval = options.evalCallback ?? null;
    const context = llama.func('llama_init_from_model', 'void *', ['void *', contextParams])(model, params);
    if (!context) throw new Error('llama.cpp cannot make a context');
    try {
      applyAdapters(model, context, options.adapters ?? []);
      const logits = new Float32Array(ids.length * vocabSize);
      for (let first = 0; first < ids.length; first += batchTokens) {
        const part = ids.slice(first, first + batchTokens);
        logits.set(decodeBatch(context, part, first, vocabSize, options), first * vocabSize);
      }
      return logits;
    } finally {
      llama.func('void llama_free(void *context)')(context);
    }
  }

  /** They belong to the model and go with it. */
  function applyAdapters(
    model: unknown,
    context: unknown,
    adapters: NonNullable<NativeLogitsOptions['adapters']>,
  ): void {
    if (adapters.length === 0) return;
    const open = llama.func('void *llama_adapter_lora_init(void *model, const char *path)');
    const apply = llama.func(
      'int32_t llama_set_adapters_lora(void *context, void *adapters, size_t count, void *scales)',
    );
    const opened = BigUint64Array.from(adapters, ({ path }) => {
      const adapter = open(model, path);
      if (!adapter) throw new Error(`llama.cpp refuses the adapter ${path}`);
      return BigInt(koffi.address(adapter));
    });
    const scales = Float32Array.from(adapters, ({ scale }) => scale);
    const status = apply(context, opened, opened.length, scales);
    keepAlive([opened, scales]);
    if (status !== 0) throw new Error(`llama_set_adapters_lora failed with status ${status}`);
  }

  function decodeTogether(
    model: unknown,
    sequences: number,
    steps: number,
    threads: number,
    clock: () => number,
  ): number[] {
    const { batch, contextParams } = structs();
    const params = llama.func('llama_context_default_params', contextParams, [])();
    params.n_ctx = sequences * Math.max(256, steps);
    params.n_seq_max = sequences;
    params.n_batch = params.n_ubatch = Math.max(32, sequences);
    params.n_threads = params.n_threads_batch = threads;
    const context = llama.func('llama_init_from_model', 'void *', ['void *', contextParams])(model, params);
    if (!context) throw new Error('llama.cpp cannot make a context');
    const decode = llama.func('llama_decode', 'int32_t', ['void *', batch]);
    const synchronize = llama.func('void llama_synchronize(void *context)');
    const ids = Int32Array.from({ length: sequences }, (_, s) => s);
    const idOf = BigUint64Array.from(ids, (s) => koffi.address(ids) + BigInt(4 * s));
    const counts = new Int32Array(sequences).fill(1);
    const wanted = new Int8Array(sequences).fill(1);
    const times: number[] = [];
    try {
      for (let step = 0; step < steps; step++) {
        const token = Int32Array.from(ids, (s) => 100 + ((7 * s + step) % 400));
        const pos = new Int32Array(sequences).fill(step);
        const start = clock();
        const status = decode(context, {
          n_tokens: sequences,
          token: koffi.address(token),
          embd: null,
          pos: koffi.address(pos),
          n_seq_id: koffi.address(counts),
          seq_id: koffi.address(idOf),
          logits: koffi.address(wanted),
        });
        synchronize(context);
        times.push(clock() - start);
        keepAlive([token, pos, ids, idOf, counts, wanted]);
        if (status !== 0) throw new Error(`llama_decode failed with status ${status}`);
      }
      return times;
    } finally {
      llama.func('void llama_free(void *context)')(context);
    }
  }

  function decodeBatch(
    context: unknown,
    ids: readonly number[],
    first: number,
    vocabSize: number,
    { onDecoded, clock = () => performance.now() }: NativeLogitsOptions,
  ): Float32Array {
    const { batch } = structs();
    const count = ids.length;
    const token = Int32Array.from(ids);
    const pos = Int32Array.from(ids, (_, index) => first + index);
    const sequence = new Int32Array(1);
    const sequenceOf = new BigUint64Array(count).fill(koffi.address(sequence));
    const sequenceCounts = new Int32Array(count).fill(1);
    const wanted = new Int8Array(count).fill(1);
    const decode = llama.func('llama_decode', 'int32_t', ['void *', batch]);
    const synchronize = llama.func('void llama_synchronize(void *context)');
    const start = clock();
    const status = decode(context, {
      n_tokens: count,
      token: koffi.address(token),
      embd: null,
      pos: koffi.address(pos),
      n_seq_id: koffi.address(sequenceCounts),
      seq_id: koffi.address(sequenceOf),
      logits: koffi.address(wanted),
    });
    synchronize(context);
    onDecoded?.(clock() - start);
    keepAlive([token, pos, sequence, sequenceOf, sequenceCounts, wanted]);
    if (status !== 0) throw new Error(`llama_decode failed with status ${status}`);
    const all = llama.func('void *llama_get_logits(void *context)')(context);
    return Float32Array.from(koffi.decode(all, 'float', count * vocabSize));
  }
}

/** Logits of every position for one sequence, row-major [ids.length, vocabSize]. */
export function nativeLogits(ggufPath: string, ids: readonly number[], options?: NativeLogitsOptions): Float32Array {
  const model = openNativeModel(ggufPath);
  try {
    return model.logits(ids, options);
  } finally {
    model.close();
  }
}

/** Token ids of `text`; open the model once (openNativeModel, vocabOnly) for many texts. */
export function nativeTokenize(ggufPath: string, text: string, options?: NativeTokenizeOptions): number[] {
  const model = openNativeModel(ggufPath, { vocabOnly: true });
  try {
    return model.tokenize(text, options);
  } finally {
    model.close();
  }
}
