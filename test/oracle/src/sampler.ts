// llama.cpp's own samplers (llama.h `llama_sampler_*`), put together as `common_sampler_init` does.
import type { TypeObject } from 'koffi';
import { libraries } from './library.ts';

/** The name of a `llama_sampler_init_*` and its arguments, in C's order. `llama_vocab` goes in as its address. */
export type NativeStage =
  | readonly ['logit_bias', vocabSize: number, bias: ReadonlyMap<number, number>]
  | readonly ['penalties', vocabSize: number, lastN: number, repeat: number, frequency: number, presence: number]
  | readonly [
      'dry',
      vocab: unknown,
      multiplier: number,
      base: number,
      allowed: number,
      lastN: number,
      breakers: readonly string[],
    ]
  | readonly ['top_n_sigma' | 'temp', n: number]
  | readonly ['top_k', k: number]
  | readonly ['typical' | 'top_p' | 'min_p', p: number, minKeep: number]
  | readonly ['xtc', probability: number, threshold: number, minKeep: number, seed: number]
  | readonly ['temp_ext', temperature: number, range: number, exponent: number]
  | readonly ['mirostat', vocabSize: number, seed: number, tau: number, eta: number, m: number]
  | readonly ['mirostat_v2', seed: number, tau: number, eta: number]
  | readonly ['adaptive_p', target: number, decay: number, seed: number]
  | readonly ['dist', seed: number];

const signatures: Record<NativeStage[0], string> = {
  logit_bias: 'int32_t n_vocab, int32_t n, const llama_logit_bias *bias',
  penalties: 'int32_t n_vocab, int32_t last_n, float repeat, float freq, float present',
  dry: 'const void *vocab, float multiplier, float base, int32_t allowed, int32_t last_n, const char **breakers, size_t n',
  top_n_sigma: 'float n',
  temp: 'float t',
  top_k: 'int32_t k',
  typical: 'float p, size_t min_keep',
  top_p: 'float p, size_t min_keep',
  min_p: 'float p, size_t min_keep',
  xtc: 'float p, float t, size_t min_keep, uint32_t seed',
  temp_ext: 'float t, float delta, float exponent',
  mirostat: 'int32_t n_vocab, uint32_t seed, float tau, float eta, int32_t m',
  mirostat_v2: 'uint32_t seed, float tau, float eta',
  adaptive_p: 'float target, float decay, uint32_t seed',
  dist: 'uint32_t seed',
};

export interface NativeSampler {
  /** Lets the stages see a token that was not sampled: one of the prompt. */
  accept(token: number): void;
  /** The token that follows; it is accepted. */
  sample(logits: Float32Array): number;
  free(): void;
}

let types: { array: TypeObject } | undefined;
export function tokenArrayType(): { array: TypeObject } {
  const { koffi } = libraries();
  if (types) return types;
  koffi.struct('llama_sampler_chain_params', { no_perf: 'bool' });
  koffi.struct('llama_logit_bias', { token: 'int32_t', bias: 'float' });
  const array = koffi.struct('llama_token_data_array', {
    data: 'void *',
    size: 'size_t',
    selected: 'int64_t',
    sorted: 'bool',
  });
  types = { array };
  return types;
}

export function nativeSampler(stages: readonly NativeStage[]): NativeSampler {
  tokenArrayType();
  const { koffi, llama } = libraries();
  const chain = llama.func('void *llama_sampler_chain_init(llama_sampler_chain_params params)')({ no_perf: true });
  const add = llama.func('void llama_sampler_chain_add(void *chain, void *sampler)');
  for (const [name, ...given] of stages) {
    const create = llama.func(`void *llama_sampler_init_${name}(${signatures[name]})`);
    add(chain, create(...given.flatMap(argument)));
  }
  const apply = llama.func('void llama_sampler_apply(void *sampler, _Inout_ llama_token_data_array *candidates)');
  const accept = llama.func('void llama_sampler_accept(void *sampler, int32_t token)');
  return {
    accept: (token) => accept(chain, token),
    sample(logits) {
      const data = tokenData(logits);
      const array = { data: koffi.address(data), size: logits.length, selected: -1, sorted: false };
      apply(chain, array);
      const selected = Number(array.selected);
      // XTC moves the start of the array, not its contents.
      const token: number = koffi.decode(array.data, selected * TOKEN_BYTES, 'int32_t');
      accept(chain, token);
      return token;
    },
    free: () => llama.func('void llama_sampler_free(void *sampler)')(chain),
  };
}

/** sizeof(llama_token_data): id, logit, p. */
export const TOKEN_BYTES = 12;

export function tokenData(logits: Float32Array): Buffer {
  const data = Buffer.alloc(logits.length * TOKEN_BYTES);
  for (let id = 0; id < logits.length; id++) {
    data.writeInt32LE(id, id * TOKEN_BYTES);
    data.writeFloatLE(logits[id], id * TOKEN_BYTES + 4);
  }
  return data;
}

/** What one of ours is in C: lists go with their length. */
function argument(value: unknown): unknown[] {
  if (value instanceof Map) return [value.size, Array.from(value, ([token, bias]) => ({ token, bias }))];
  return Array.isArray(value) ? [value, value.length] : [value];
}
