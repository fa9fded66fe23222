// An importance matrix written by llama.cpp's GGUF writer, by the calls that llama-imatrix makes (tools/imatrix
// save_imatrix): two-dimensional tensors whose trailing axis may be 1.
import { libraries } from './library.ts';

export interface NativeImatrix {
  readonly datasets: readonly string[];
  readonly chunkCount: number;
  readonly chunkSize: number;
  /** In the order to be written. */
  readonly entries: ReadonlyMap<string, { readonly sums: Float32Array; readonly counts: Float32Array }>;
}

export function nativeWriteImatrix(path: string, { datasets, chunkCount, chunkSize, entries }: NativeImatrix): void {
  const { koffi, ggmlBase } = libraries();
  const initParams = koffi.struct({ mem_size: 'size_t', mem_buffer: 'void *', no_alloc: 'bool' });
  const context = ggmlBase.func('ggml_init', 'void *', [initParams])({
    mem_size: 1 << 20,
    mem_buffer: null,
    no_alloc: false,
  });
  const newTensor = ggmlBase.func('void *ggml_new_tensor_2d(void *context, int type, int64_t ne0, int64_t ne1)');
  const setName = ggmlBase.func('void *ggml_set_name(void *tensor, const char *name)');
  const dataOf = ggmlBase.func('void *ggml_get_data(const void *tensor)');
  const addTensor = ggmlBase.func('void gguf_add_tensor(void *gguf, const void *tensor)');
  const setCount = ggmlBase.func('void gguf_set_val_u32(void *gguf, const char *key, uint32_t value)');

  const gguf = ggmlBase.func('void *gguf_init_empty()')();
  ggmlBase.func('void gguf_set_val_str(void *gguf, const char *key, const char *value)')(
    gguf,
    'general.type',
    'imatrix',
  );
  ggmlBase.func('void gguf_set_arr_str(void *gguf, const char *key, const char **values, size_t count)')(
    gguf,
    'imatrix.datasets',
    datasets,
    datasets.length,
  );
  setCount(gguf, 'imatrix.chunk_count', chunkCount);
  setCount(gguf, 'imatrix.chunk_size', chunkSize);
  for (const [name, { sums, counts }] of entries) {
    for (const [suffix, values] of [
      ['in_sum2', sums],
      ['counts', counts],
    ] as const) {
      const tensor = newTensor(context, 0, values.length / counts.length, counts.length);
      setName(tensor, `${name}.${suffix}`);
      koffi.encode(dataOf(tensor), 'float', [...values], values.length);
      addTensor(gguf, tensor);
    }
  }
  ggmlBase.func('bool gguf_write_to_file(const void *gguf, const char *path, bool only_meta)')(gguf, path, false);
  ggmlBase.func('void gguf_free(void *gguf)')(gguf);
  ggmlBase.func('void ggml_free(void *context)')(context);
}
