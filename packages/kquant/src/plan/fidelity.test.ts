import { dtypeByName } from '@quern/blocks';
import { expect, test } from 'vitest';
import { type Fidelity, fidelityOf, losesCodes } from './fidelity.ts';
import { closestType, originOf, type PackedSource } from './packed-source.ts';
import type { TensorPlan } from './plan.ts';

const tensor = (from: string, to: string, more: { via?: string; packed?: TensorPlan['packed'] } = {}) =>
  ({
    from: dtypeByName(from),
    to: dtypeByName(to),
    ...(more.via && { via: dtypeByName(more.via) }),
    ...(more.packed && { packed: more.packed }),
  }) as TensorPlan;

const packed = (codes?: 'same' | 'scales-rounded') => ({ format: 'gptq', storedBytes: 1, ...(codes && { codes }) });

test.each<[Fidelity, TensorPlan, boolean]>([
  ['copied', tensor('BF16', 'BF16'), false],
  ['copied', tensor('Q4_K', 'Q4_K'), false],
  ['same-values', tensor('BF16', 'F32'), false],
  ['same-values', tensor('F32', 'F32', { packed: packed() }), false],
  ['same-values', tensor('Q4_K', 'F32'), false],
  ['rounded', tensor('F32', 'F16'), false],
  ['rounded', tensor('F32', 'BF16', { packed: packed() }), true],
  ['rounded', tensor('F32', 'F32', { via: 'F16', packed: packed() }), true],
  ['quantized', tensor('BF16', 'Q8_0'), false],
  ['quantized', tensor('F32', 'Q4_K', { via: 'F16' }), false],
  ['requantized', tensor('Q8_0', 'Q4_K'), false],
  ['requantized', tensor('F32', 'Q4_K', { packed: packed() }), true],
  ['same-codes', tensor('Q4_0', 'Q4_0', { packed: packed('same') }), false],
  ['scales-rounded', tensor('Q4_1', 'Q4_1', { packed: packed('scales-rounded') }), true],
])('%s', (fidelity, plan, loses) => {
  expect(fidelityOf(plan)).toBe(fidelity);
  expect(losesCodes(plan)).toBe(loses);
});

const awq: PackedSource = {
  format: 'awq-gemm',
  storedBytes: 7,
  exact: [
    { dtype: dtypeByName('Q4_1'), values: 'scales-rounded' },
    { dtype: dtypeByName('Q5_0'), values: 'same' },
  ],
};
const f32 = dtypeByName('F32');

test('a packed weight is read in the form that was asked for, else by its values', () => {
  expect(originOf({ dtype: f32, packed: awq }, dtypeByName('Q4_1'))).toEqual({
    from: dtypeByName('Q4_1'),
    packed: { format: 'awq-gemm', storedBytes: 7, codes: 'scales-rounded' },
  });
  expect(originOf({ dtype: f32, packed: awq }, dtypeByName('Q4_0'))).toEqual({
    from: f32,
    packed: { format: 'awq-gemm', storedBytes: 7 },
  });
  expect(originOf({ dtype: f32 }, dtypeByName('Q4_1'))).toEqual({ from: f32 });
});

test('the closest type has the same values, whatever its size', () => {
  expect(closestType(awq)).toBe(dtypeByName('Q5_0'));
  expect(closestType({ ...awq, exact: awq.exact.slice(0, 1) })).toBe(dtypeByName('Q4_1'));
  expect(closestType({ ...awq, exact: [] })).toBeUndefined();
});
