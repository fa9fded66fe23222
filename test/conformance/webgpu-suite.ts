// What a WebGPU adapter must pass, whatever drives it: every op against the reference, with every family of kernels.
import { type OpName, ops, referenceDevice, type WebgpuDevice, type WebgpuDeviceOptions } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, errorOf, runCase } from './case.ts';
import { cases } from './cases.ts';
import { webgpuOnlyCases } from './matmul-cases.ts';

export interface Variant {
  readonly title: string;
  readonly capabilities: WebgpuDeviceOptions['capabilities'];
  /** Which of the many cases of the matmuls: a software driver takes seconds to compile one of their shaders. */
  readonly matmuls: (type: string, tokens: number, index: number) => boolean;
  /** Which of those of attention, whose shaders are as large; `special` where an option changes the shader. */
  readonly attention: (index: number, special: boolean) => boolean;
}

/**
 * The first proves the decoders and every option, the others what lanes do together: five shapes of attention each, with every
 * type of keys, sinks, windows, chunks, both ways, and values that lie in the keys between them.
 */
export const variants: readonly Variant[] = [
  {
    title: 'a lane per row',
    capabilities: { teams: false },
    matmuls: (_type, _tokens, index) => index % 11 === 0,
    attention: (index, special) => index % 9 === 0 || special,
  },
  {
    title: 'workgroups',
    capabilities: { teams: true, subgroups: false },
    matmuls: (type, tokens, index) => ['F16', 'Q6_K'].includes(type) && [3, 33].includes(tokens) && index % 7 === 0,
    attention: (index) => index % 67 === 11,
  },
  {
    title: 'workgroups with subgroups',
    capabilities: { teams: true },
    matmuls: (type, tokens, index) => ['F32', 'Q4_K'].includes(type) && tokens < 3 && index % 3 === 0,
    attention: (index) => index % 67 === 3,
  },
];

const reference = referenceDevice();

/** One pair of types of each layout with more than a window. */
const isSpecial = ({ params, inputs }: Case): boolean =>
  ['valueDim', 'chunk', 'softCap', 'causal'].some((option) => option in params) &&
  inputs[1]!.dtype === 'F16' &&
  inputs[2]!.dtype === 'F16' &&
  inputs[0]!.bytes.length < 2 ** 17;

export function sampleCases({ matmuls, attention }: Pick<Variant, 'matmuls' | 'attention'>): Case[] {
  const isMatmul = ({ op }: Case) => op === 'matmul' || op === 'matmulExperts';
  const candidates = [...cases.filter(isMatmul), ...webgpuOnlyCases];
  const manyWays = ({ op, inputs }: Case) => op === 'matmulExperts' && ['F16', 'Q8_0'].includes(inputs[1]!.dtype);
  return [
    ...cases.filter((entry) => !isMatmul(entry) && entry.op !== 'attention'),
    ...cases.filter(({ op }) => op === 'attention').filter((entry, index) => attention(index, isSpecial(entry))),
    ...candidates.filter((entry, index) => {
      const [x, w] = entry.inputs;
      return manyWays(entry) || matmuls(w!.dtype, x!.shape[0]!, index);
    }),
  ];
}

/** @param leastTolerance for drivers that use WGSL's freedom to fuse and to approximate */
export function conforms(
  { title, capabilities, ...some }: Variant,
  open: (capabilities: WebgpuDeviceOptions['capabilities']) => Promise<WebgpuDevice>,
  leastTolerance = 0,
): void {
  describe(title, () => {
    let device: WebgpuDevice;
    beforeAll(async () => {
      device = await open(capabilities);
    });
    afterAll(() => device.dispose());

    it('computes correctly with all it was asked to use', () => {
      expect(device.rejected).toEqual([]);
    });

    const sample = sampleCases(some);
    it.each(Object.keys(ops) as OpName[])('%s', async (op) => {
      const { tolerance, wgslTolerance = tolerance } = ops[op];
      for (const entry of sample.filter((one) => one.op === op)) {
        const error = errorOf(entry, await runCase(device, entry), await runCase(reference, entry));
        expect(error, `NMSE of ${entry.title}`).toBeLessThanOrEqual(Math.max(leastTolerance, wgslTolerance));
      }
    });
  });
}
