// Against llama-perplexity's divergence in full precision (packages/perplexity).
import { compareRow } from '@quern/perplexity';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { divergenceFrom, encodeBaseRow } from './base-row.ts';

const row = (length: number, spread: number) =>
  fc
    .array(fc.float({ min: Math.fround(-spread), max: Math.fround(spread), noNaN: true }), {
      minLength: length,
      maxLength: length,
    })
    .map((values) => Float32Array.from(values));

/** ln p in full. */
function logProbs(logits: Float32Array): Float32Array {
  const max = Math.max(...logits);
  const norm = max + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
  return logits.map((logit) => logit - norm);
}

const coded = (base: Float32Array, logits: Float32Array): number => {
  const codes = new Uint16Array(base.length);
  encodeBaseRow(base, codes);
  return divergenceFrom(codes, logits);
};

test('two bytes per token give the divergence to a few ten-thousandths', () => {
  fc.assert(
    fc.property(row(50, 12), row(50, 12), (base, logits) => {
      const { kld } = compareRow(logProbs(base), logits, 0);
      expect(Math.abs(coded(base, logits) - kld)).toBeLessThan(2e-4 + 2e-3 * kld);
    }),
  );
});

test("less what the base's own codes give, a small divergence is right to a thousandth of itself", () => {
  fc.assert(
    fc.property(row(200, 6), row(200, 0.05), (base, noise) => {
      const logits = base.map((logit, i) => logit + noise[i]!);
      const { kld } = compareRow(logProbs(base), logits, 0);
      expect(Math.abs(coded(base, logits) - coded(base, base) - kld)).toBeLessThan(1e-6 + 2e-2 * kld);
    }),
  );
});
