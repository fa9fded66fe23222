// How each op calls its WASM kernel: the words the kernel reads, and how the work is cut into items.
import { addCpu } from './add/cpu.ts';
import { attentionCpu } from './attention/cpu.ts';
import { embedCpu } from './embed/cpu.ts';
import { gatedActCpu } from './gated-act/cpu.ts';
import { gatherRowsCpu } from './gather-rows/cpu.ts';
import type { OpName, OpParams } from './index.ts';
import { kvWriteCpu } from './kv-write/cpu.ts';
import { logProbCpu } from './log-prob/cpu.ts';
import { matmulCpu } from './matmul/cpu.ts';
import { rmsNormCpu } from './rms-norm/cpu.ts';
import { ropeCpu } from './rope/cpu.ts';
import { scaleCpu } from './scale/cpu.ts';
import { softmaxCpu } from './softmax/cpu.ts';
import type { Dims } from './spec.ts';

export interface CpuCall<Name extends OpName> {
  readonly dims: Dims;
  readonly params: OpParams[Name];
  /** Address of an input, 0 when it was not given. */
  input(operand: string): number;
  /** `ggml_type`, weights per block and bytes per block of a weight operand. */
  weight(operand: string): readonly [type: number, blockSize: number, typeSize: number];
  readonly y: number;
}

export interface CpuWork {
  readonly words: readonly number[];
  readonly items: number;
  /** Rough arithmetic per item in flops; chunks get CHUNK_COST of it. */
  readonly itemCost: number;
}

/** About 10 µs of work: far above the cost of handing out a chunk, far below the length of an op worth sharing. */
export const CHUNK_COST = 1 << 18;

export const cpuKernels: { readonly [Name in OpName]: (call: CpuCall<Name>) => CpuWork } = {
  embed: embedCpu,
  rmsNorm: rmsNormCpu,
  matmul: matmulCpu,
  rope: ropeCpu,
  kvWrite: kvWriteCpu,
  attention: attentionCpu,
  gatedAct: gatedActCpu,
  add: addCpu,
  scale: scaleCpu,
  gatherRows: gatherRowsCpu,
  softmax: softmaxCpu,
  logProb: logProbCpu,
};

export type KernelName = OpName;
/** The order is the numbering that the threads share. */
export const kernelNames = Object.keys(cpuKernels) as KernelName[];

const word = new Float32Array(1);
const wordBits = new Uint32Array(word.buffer);

/** The bits of an f32 word. */
export function floatWord(value: number): number {
  word[0] = value;
  return wordBits[0]!;
}
