// Activations in 8 bits on the WebGPU device: every family of kernels against the reference, which is given the activations
// as plain TypeScript rounds them, and against the CPU device, which rounds them itself.
import { cpuDevice, type Device, ops, referenceDevice, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaseOperand, floats, nmse, runCase, weights } from './case.ts';
import { cases } from './cases.ts';
import { floatsOf, integerProducts, integerTypes, multiply, operand, rounded } from './rounded-case.ts';
import { useSwiftShader } from './software-gpu.ts';

const missing = useSwiftShader();
const families = {
  'a lane per row': { teams: false },
  workgroups: { teams: true, subgroups: false },
  'workgroups with subgroups': { teams: true },
};

const expertCases = cases.filter(({ op, inputs }) => op === 'matmulExperts' && integerTypes.includes(inputs[1]!.dtype));

const reference = referenceDevice();
let cpu: Device;
beforeAll(async () => {
  cpu = await cpuDevice({ threads: 1, activations: 'int8' });
});
afterAll(() => cpu.dispose());

describe.skipIf(missing).each(Object.entries(families))(
  `rounded activations on webgpu, %s${missing ? ` (skipped: ${missing})` : ''}`,
  (_title, capabilities) => {
    let device: WebgpuDevice;
    beforeAll(async () => {
      device = await webgpuDevice({ software: true, activations: 'int8', capabilities });
    });
    afterAll(() => device.dispose());

    it('rounds what it is asked to', () => {
      expect(device.activations).toBe('int8');
      expect(device.rejected).toEqual([]);
    });

    it.each([...integerProducts, ...expertCases])('$op $title', async (entry) => {
      const result = await runCase(device, entry);
      const { tolerance } = ops[entry.op];
      expect(nmse(result, await runCase(reference, rounded(entry)), entry.typicalSquare)).toBeLessThanOrEqual(
        tolerance,
      );
      expect(nmse(result, await runCase(cpu, entry), entry.typicalSquare)).toBeLessThanOrEqual(tolerance);
    });

    it('rounds what several matrices multiply once, and again when it has changed', async () => {
      const upload = ({ dtype, shape, bytes }: CaseOperand) => {
        const tensor = device.alloc(dtype, shape);
        device.write(tensor, bytes);
        return tensor;
      };
      const [q, k] = [weights('Q8_0', [5, 64], 1), weights('Q8_0', [5, 64], 2)];
      const input = floats([3, 64], 3);
      const x = upload(input);
      const [wq, wk] = [upload(q), upload(k)];
      const y = device.alloc('F32', [3, 5]);
      const dispatchesOf = (w: typeof wq) => {
        const before = device.counts.dispatches;
        device.run('matmul', [x, w], y, {});
        return device.counts.dispatches - before;
      };
      const expectProduct = async (by: CaseOperand, factor: number) => {
        const values = floatsOf(input).map((value) => factor * value);
        const truth = await runCase(reference, rounded(multiply(operand([3, 64], values), by)));
        expect(nmse(await device.read(y), truth)).toBeLessThanOrEqual(1e-12);
      };
      expect(dispatchesOf(wq)).toBe(2);
      expect(dispatchesOf(wk)).toBe(1);
      await expectProduct(k, 1);
      device.run('scale', [x], x, { factor: 2 });
      expect(dispatchesOf(wk)).toBe(2);
      await expectProduct(k, 2);
      device.write(x, input.bytes);
      expect(dispatchesOf(wq)).toBe(2);
      await expectProduct(q, 1);
    });

    it('multiplies plain weights with activations as they are', async () => {
      const entry = multiply(floats([3, 96], 1), weights('F16', [9, 96], 2));
      expect(nmse(await runCase(device, entry), await runCase(reference, entry))).toBeLessThanOrEqual(1e-12);
    });

    it.each(['Q8_0', 'Q6_K'])('rounds activations of any size, and keeps NaN to its token, with %s', async (type) => {
      const x = floatsOf(floats([9, 512], 6));
      for (let c = 0; c < 512; c++) {
        x[c] = 0;
        x[512 + c]! *= 1e30;
        x[2 * 512 + c]! *= 1e-30;
        x[3 * 512 + c]! *= 1e-43;
        x[4 * 512 + c]! *= 2 ** ((c % 60) - 30);
      }
      x[5 * 512 + 300] = Number.NaN;
      x[6 * 512 + 511] = Number.POSITIVE_INFINITY;
      x[7 * 512] = Number.NEGATIVE_INFINITY;
      const w = weights(type, [13, 512], 7);
      const result = floatsOf({
        dtype: 'F32',
        shape: [],
        bytes: await runCase(device, multiply(operand([9, 512], x), w)),
      });
      const token = (t: number) => result.subarray(13 * t, 13 * (t + 1));
      for (const t of [0, 1, 2, 3, 4, 8]) {
        const one = multiply(operand([1, 512], x.slice(512 * t, 512 * (t + 1))), w);
        const truth = await runCase(reference, rounded(one));
        expect(nmse(new Uint8Array(token(t).slice().buffer), truth), `token ${t}`).toBeLessThanOrEqual(1e-12);
      }
      for (const t of [5, 6, 7]) expect(token(t).every(Number.isNaN), `token ${t}`).toBe(true);
    });
  },
);
