// llama.cpp's own grammars (llama.h `llama_sampler_init_grammar`): which tokens may come next.
import { libraries } from './library.ts';
import { TOKEN_BYTES, tokenArrayType, tokenData } from './sampler.ts';

export interface NativeGrammar {
  /** By token: whether it may come next. */
  allowed(): boolean[];
  accept(token: number): void;
  free(): void;
}

/** @param vocab the address of a `llama_vocab`. @throws Error when llama.cpp refuses the grammar */
export function nativeGrammar(vocab: unknown, vocabSize: number, gbnf: string): NativeGrammar {
  tokenArrayType();
  const { koffi, llama } = libraries();
  const create = llama.func('void *llama_sampler_init_grammar(const void *vocab, const char *text, const char *root)');
  const sampler = create(vocab, gbnf, 'root');
  if (!sampler) throw new Error('llama.cpp refuses the grammar');
  const apply = llama.func('void llama_sampler_apply(void *sampler, _Inout_ llama_token_data_array *candidates)');
  const accept = llama.func('void llama_sampler_accept(void *sampler, int32_t token)');
  return {
    allowed() {
      const data = tokenData(new Float32Array(vocabSize));
      apply(sampler, { data: koffi.address(data), size: vocabSize, selected: -1, sorted: false });
      return Array.from({ length: vocabSize }, (_, id) => data.readFloatLE(id * TOKEN_BYTES + 4) === 0);
    },
    accept: (token) => accept(sampler, token),
    free: () => llama.func('void llama_sampler_free(void *sampler)')(sampler),
  };
}
