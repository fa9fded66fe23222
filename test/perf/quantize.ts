// Speed of the coders. First, one thread against llama.cpp's ggml_quantize_chunk out of npm: CPU time, medians of
// interleaved runs on the same normal weights, without and with importance. Then the pool on one and two threads: wall time, BF16 in,
// the fastest runs (with two cores, anything else that runs takes one of ours).
// Run: npx tsx --conditions=source test/perf/quantize.ts [types] [rounds]     (an idle machine, please)
import { cpus, loadavg } from 'node:os';
import { codecOf, type DType, dtypeByName, rowBytes, TranscodePool } from '@quern/blocks';
import { gaussian, seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';
import { compileKernels, instantiateKernels, kernelMemory } from '../../packages/blocks/src/wasm/kernels.ts';
import { type GgmlTypeName, nativeQuantizeInto, oracleUnavailable } from '../oracle/src/index.ts';

const K_AND_PLAIN = 'Q2_K,Q3_K,Q4_K,Q5_K,Q6_K,Q8_0,Q4_0,Q4_1,Q5_0,Q5_1,F16,BF16';
const OTHERS = 'IQ4_NL,IQ4_XS,IQ3_S,IQ3_XXS,IQ2_S,IQ2_XS,IQ2_XXS,IQ1_S,IQ1_M,TQ1_0,TQ2_0,MXFP4,NVFP4,Q1_0,Q2_0';
const [types = `${K_AND_PLAIN},${OTHERS}`, rounds = '9'] = process.argv.slice(2);
const WARM_UP = 3;
const COLS = 4096;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (samples: number[]) => samples.sort((a, b) => a - b)[samples.length >> 1]!;
const print = (...cells: string[]) =>
  console.log(cells.map((cell, i) => (i ? cell.padStart(12) : cell.padEnd(18))).join(''));

/** Weights per run: about 0.1 s of the slower side. */
const weightsOf = (type: string, weighted: boolean) => (/_K$|^IQ/.test(type) || weighted ? 1 << 18 : 1 << 20);

async function oneThread(): Promise<void> {
  const count = 1 << 20;
  const [src, dst] = [4 << 20, (4 << 20) + count * 4];
  const importanceAt = dst + count * 4;
  const memory = kernelMemory(importanceAt + COLS * 4);
  const kernels = instantiateKernels(await compileKernels(), memory);
  const values = new Float32Array(memory.buffer, src, count);
  const normal = gaussian(seededRandom(1));
  for (let i = 0; i < count; i++) values[i] = normal() * 0.02;
  const importance = Float32Array.from({ length: COLS }, () => Math.exp(1.5 * normal()));
  new Float32Array(memory.buffer, importanceAt, COLS).set(importance);
  const copy = values.slice(); // koffi takes no shared memory
  const out = new Uint8Array(count * 4);

  /** Encodes `weights` weights, a row per call as the pool does. */
  const encoderOf = (dtype: DType, weighted: boolean) => {
    const plain = kernels.encoder(dtype);
    const heeding = kernels.weightedEncoder(dtype);
    const byRow = codecOf(dtype).weighting === 'row';
    if (!(weighted ? heeding : plain)) return undefined;
    return (weights: number) => {
      for (let i = 0; i < weights; i += COLS) {
        const [from, to] = [src + i * 4, dst + (i / dtype.blockSize) * dtype.typeSize];
        if (!weighted) plain!(from, to, COLS / dtype.blockSize);
        else {
          const meanSquare = byRow ? kernels.addSquares(from, COLS, 0) / COLS : 0;
          heeding!(from, to, COLS / dtype.blockSize, importanceAt, meanSquare);
        }
      }
    };
  };

  print('type', 'ours MB/s', 'ggml MB/s', 'time ratio');
  for (const type of types.split(',')) {
    const dtype = dtypeByName(type);
    for (const weighted of [false, true]) {
      const encode = encoderOf(dtype, weighted);
      if (!encode || (codecOf(dtype).needsImportance && !weighted)) continue;
      const weights = weightsOf(type, weighted);
      const ours: number[] = [];
      const native: number[] = [];
      for (let round = 0; round < WARM_UP + Number(rounds); round++) {
        let began = cpuMs();
        encode(weights);
        if (round >= WARM_UP) ours.push(cpuMs() - began);
        if (oracleUnavailable) continue;
        began = cpuMs();
        const columns = weighted ? importance : undefined;
        nativeQuantizeInto(type as GgmlTypeName, copy.subarray(0, weights), out, weights / COLS, COLS, columns);
        if (round >= WARM_UP) native.push(cpuMs() - began);
      }
      const rate = (ms: number) => ((weights * 4) / ms / 1000).toFixed(0);
      const [our, their] = [median(ours), native.length ? median(native) : Number.NaN];
      print(weighted ? `${type} weighted` : type, rate(our), rate(their), (our / their).toFixed(3));
    }
  }
}

async function pools(): Promise<void> {
  const bf16 = dtypeByName('BF16');
  const [rows, cols] = [2048, COLS];
  const source = new Uint8Array(rowBytes(bf16, rows * cols));
  const bits = new Uint16Array(source.buffer);
  const random = seededRandom(2);
  for (let i = 0; i < bits.length; i++) bits[i] = (0x3b00 + random() * 0x200) | (random() < 0.5 ? 0x8000 : 0);
  const members = await Promise.all([1, 2].map((threads) => TranscodePool.create({ threads })));

  print('\nBF16 to', '1 thread', '2 threads', 'speed-up', '(MB/s of F32)');
  for (const type of types.split(',')) {
    const to: DType = dtypeByName(type);
    const importance = codecOf(to).needsImportance ? new Float32Array(cols).fill(1) : undefined;
    const times: number[][] = [[], []];
    for (let round = 0; round < 1 + Number(rounds); round++) {
      for (const [i, pool] of members.entries()) {
        const began = performance.now();
        await pool.transcode(
          { from: bf16, to, rows, cols, importance },
          (into, piece) => into.set(source.subarray(piece.sourceOffset, piece.sourceOffset + into.length)),
          () => {},
        );
        if (round) times[i]!.push(performance.now() - began);
      }
    }
    const [one, two] = times.map((samples) => Math.min(...samples)) as [number, number];
    const rate = (ms: number) => ((rows * cols * 4) / ms / 1000).toFixed(0);
    print(type, rate(one), rate(two), (one / two).toFixed(2));
  }
  await Promise.all(members.map((pool) => pool.close()));
}

console.log(`${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0]!.toFixed(2)} on ${cpus().length} cores`);
await oneThread();
await pools();
