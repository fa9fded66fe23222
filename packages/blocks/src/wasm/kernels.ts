// The WASM kernels on one memory. Kernels keep their scratch in the module's own data, so every instance needs a memory
// of its own.
import { readFile } from 'node:fs/promises';
import type { DType } from '../dtype.ts';

/** Codes `blocks` blocks from address `src` to address `dst`; the ranges must not overlap. */
export type Kernel = (src: number, dst: number, blocks: number) => void;

/**
 * Encodes `blocks` blocks of one row under importance: `importance` is the address of the first block's weights.
 * Types whose codec says `weighting: 'row'` also take the mean of all squares of the row.
 */
export type WeightedKernel = (
  src: number,
  dst: number,
  blocks: number,
  importance: number,
  meanSquare?: number,
) => void;

export interface Kernels {
  /** Stored blocks → floats. */
  decoder(dtype: DType): Kernel | undefined;
  /** Floats → stored blocks. */
  encoder(dtype: DType): Kernel | undefined;
  /** Floats → stored blocks under importance; types that ignore it have none. */
  weightedEncoder(dtype: DType): WeightedKernel | undefined;
  /** Single numbers of one type → those of another without floats between; only some pairs have it. */
  converter(from: DType, to: DType): Kernel | undefined;
  /** Bits of the largest magnitude among `count` floats; 0x7F800000 or more means that some are not finite. */
  largestMagnitude(src: number, count: number): number;
  /** The same for two-byte numbers (F16, BF16), as their own 15 bits. */
  largestMagnitude16(src: number, count: number): number;
  countNonFinite(src: number, count: number): number;
  /** Index, or `count` when all are finite. */
  firstNonFinite(src: number, count: number): number;
  /** `sum` plus the squares of `count` floats, one after the other in F32. */
  addSquares(src: number, count: number, sum: number): number;
  /** First address that is free for data. */
  heapBase(): number;
}

const PAGE = 65536;
const wasmFile = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/blocks.wasm' : '../blocks.wasm',
  import.meta.url,
);

/** Compiles the module; once per process is enough, it can be posted to workers. */
export async function compileKernels(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(wasmFile));
}

/** A shared memory of at least `bytes`, that cannot grow. */
export function kernelMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** Instantiates the kernels on `memory`. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const abort = () => {
    throw new Error('A blocks kernel failed.');
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  const kernel = (name: string) => exports[name] as Kernel | undefined;
  type Scan = (src: number, count: number) => number;
  const scan = (name: string): Scan => {
    const run = exports[name] as Scan;
    return (src, count) => run(src, count) >>> 0;
  };
  return {
    decoder: (dtype) => kernel(`decode${dtype.name}`),
    encoder: (dtype) => kernel(`encode${dtype.name}`),
    weightedEncoder: (dtype) => exports[`encode${dtype.name}Weighted`] as WeightedKernel | undefined,
    converter: (from, to) => kernel(`convert${from.name}_${to.name}`),
    largestMagnitude: scan('largestMagnitude'),
    largestMagnitude16: scan('largestMagnitude16'),
    countNonFinite: scan('countNonFinite'),
    firstNonFinite: scan('firstNonFinite'),
    addSquares: exports.addSquares as (src: number, count: number, sum: number) => number,
    heapBase: exports.heapBase as () => number,
  };
}
