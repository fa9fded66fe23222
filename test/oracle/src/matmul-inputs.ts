// What llama.cpp multiplies each weight with: the inputs that llama-imatrix sums up, seen through the evaluation callback
// of the scheduler (ggml-backend.h `ggml_backend_sched_eval_callback`). One thread, so that the callback runs on ours.
import type { TypeObject } from 'koffi';
import { type Koffi, libraries } from './library.ts';
import { type NativeLogitsOptions, openNativeModel } from './model.ts';

export interface MatmulInput {
  /** Name of the weight in the file. */
  readonly weight: string;
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols], a copy. */
  readonly values: Float32Array;
  /**
   * For a stack of experts: [tokens, experts per token], the experts that each token goes to. `rows` is either the tokens
   * (all its experts see the same row) or tokens · experts per token.
   */
  readonly experts?: Int32Array;
}

// Offsets in `struct ggml_tensor` (ggml.h) on a 64-bit machine.
const at = { ne: 16, nb: 48, src: 152, data: 248, name: 256 };
const nameBytes = 64;

let registered: TypeObject | undefined;
/** koffi takes a name once per process. */
function observerType(koffi: Koffi): TypeObject {
  registered ??= koffi.pointer(koffi.proto('bool quern_observe(uint64_t tensor, bool ask, void *user)'));
  return registered;
}

/** Runs `ids` as one sequence, in one batch, and calls `onInput` for every product with a weight of the model. */
export function nativeMatmulInputs(
  ggufPath: string,
  ids: readonly number[],
  onInput: (input: MatmulInput) => void,
  options: Pick<NativeLogitsOptions, 'kvType'> = {},
): void {
  const { koffi, ggmlBase } = libraries();
  const operation = ggmlBase.func('const char *ggml_op_desc(const void *tensor)');
  // koffi gives a number where that is exact.
  const field = (tensor: bigint, offset: number) => BigInt(koffi.decode(tensor, offset, 'uint64_t') as number | bigint);
  const size = (tensor: bigint, axis: number) => Number(field(tensor, at.ne + 8 * axis));
  const stride = (tensor: bigint, axis: number) => Number(field(tensor, at.nb + 8 * axis));
  const nameOf = (tensor: bigint) => koffi.decode(tensor, at.name, koffi.array('char', nameBytes)) as string;

  const read = (product: bigint, op: string): MatmulInput => {
    const [weight, input, chosen] = [0, 1, 2].map((i) => field(product, at.src + 8 * i)) as [bigint, bigint, bigint];
    const cols = size(input, 0);
    const rows = size(input, 1) * size(input, 2) * size(input, 3);
    if (stride(input, 0) !== 4 || stride(input, 1) !== 4 * cols) throw new Error('The input is not contiguous.');
    const values = Float32Array.from(koffi.decode(field(input, at.data), 'float', rows * cols) as number[]);
    const experts = op === 'MUL_MAT_ID' ? readIds(chosen) : undefined;
    return { weight: nameOf(weight), rows, cols, values, experts };
  };
  const readIds = (ids: bigint): Int32Array => {
    const [perToken, tokens] = [size(ids, 0), size(ids, 1)];
    const rows = Array.from({ length: tokens }, (_, t) =>
      koffi.decode(field(ids, at.data) + BigInt(t * stride(ids, 1)), 'int32_t', perToken),
    );
    return Int32Array.from(rows.flatMap((row) => [...(row as Iterable<number>)]));
  };

  const failures: unknown[] = [];
  const callback = koffi.register((product: number | bigint, ask: boolean) => {
    const tensor = BigInt(product);
    const op = operation(tensor) as string;
    const wanted = op.startsWith('MUL_MAT') && nameOf(field(tensor, at.src)).endsWith('.weight');
    if (ask || !wanted) return wanted || !ask;
    try {
      onInput(read(tensor, op));
    } catch (error) {
      failures.push(error);
    }
    return true;
  }, observerType(koffi));
  const model = openNativeModel(ggufPath);
  try {
    model.logits(ids, { ...options, threads: 1, batchTokens: ids.length, evalCallback: callback });
  } finally {
    model.close();
    koffi.unregister(callback);
  }
  if (failures.length > 0) throw failures[0];
}
