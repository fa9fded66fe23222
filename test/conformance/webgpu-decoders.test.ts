// Every type that WGSL decodes: rows of any bytes, read by embed and multiplied by matmul, against the codec.
import { dtypeByName, rowBytes, wgslTypes } from '@quern/blocks';
import { ops, referenceDevice, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, type CaseOperand, floats, integers, nmse, runCase, weights } from './case.ts';
import { randomSource } from './random.ts';
import { useSwiftShader } from './software-gpu.ts';

const missing = useSwiftShader();
const [ROWS, COLS] = [7, 512];

/** Where the blocks keep numbers that must not be any bytes, and what to put there: F16 near 2^-5, small exponents. */
const bounded: Readonly<Record<string, readonly [at: number, byte: number][]>> = {
  ...Object.fromEntries(
    ['Q4_0', 'Q5_0', 'Q8_0', 'IQ4_NL', 'IQ4_XS', 'IQ3_S', 'IQ3_XXS', 'IQ2_S', 'IQ2_XS', 'IQ2_XXS', 'IQ1_S'].map(
      (type) => [type, [[1, 0x28]]],
    ),
  ),
  ...Object.fromEntries(['Q4_1', 'Q5_1', 'Q4_K', 'Q5_K'].map((type) => [type, [[1, 0x28], [3, 0x28]]])), // biome-ignore format: pairs
  Q1_0: [[1, 0x28]],
  Q2_0: [[1, 0x28]],
  Q2_K: [
    [81, 0x28],
    [83, 0x28],
  ],
  Q3_K: [[109, 0x28]],
  Q6_K: [[209, 0x28]],
  TQ1_0: [[53, 0x28]],
  TQ2_0: [[65, 0x28]],
  IQ1_M: [[55, 0x2f]],
  MXFP4: [[0, 0x7b]],
  NVFP4: [],
};

/** Bytes as they come, so that every code and scale occurs; plain types as their codec writes them. */
function anyRows(type: string): CaseOperand {
  const places = bounded[type];
  if (!places) return weights(type, [ROWS, COLS], 3, 1);
  const dtype = dtypeByName(type);
  const random = randomSource(11);
  const bytes = Uint8Array.from({ length: ROWS * rowBytes(dtype, COLS) }, () => Math.floor(random() * 256));
  for (let block = 0; block < bytes.length; block += dtype.typeSize)
    for (const [at, byte] of places) bytes[block + at] = byte;
  return { dtype: type, shape: [ROWS, COLS], bytes };
}

describe.skipIf(missing)(`decoders on webgpu${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let device: WebgpuDevice;
  const reference = referenceDevice();
  beforeAll(async () => {
    device = await webgpuDevice({ software: true });
  });
  afterAll(() => device.dispose());

  it.each(wgslTypes)('%s', async (type) => {
    const table = anyRows(type);
    const embed: Case<'embed'> = {
      op: 'embed',
      title: type,
      inputs: [table, integers([4], [6, 0, 3, 3])],
      outputShape: [4, COLS],
      params: {},
    };
    const truth = await runCase(reference, embed);
    expect(new Float32Array(truth.buffer).every(Number.isFinite)).toBe(true);
    expect(nmse(await runCase(device, embed), truth)).toBeLessThanOrEqual(1e-13);
    const matmul: Case<'matmul'> = {
      op: 'matmul',
      title: type,
      inputs: [floats([2, COLS], 5), table],
      outputShape: [2, ROWS],
      params: {},
    };
    const error = nmse(await runCase(device, matmul), await runCase(reference, matmul));
    expect(error).toBeLessThanOrEqual(ops.matmul.tolerance);
  });
});
