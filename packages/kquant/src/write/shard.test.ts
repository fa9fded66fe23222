// Shards, whatever the model: they cover the file without gap or overlap, rows likewise, and are about equal.
import { dtypeByName, rowBytes } from '@quern/blocks';
import { layoutGguf } from '@quern/gguf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completePlan } from '../plan/plan.ts';
import { parseShard, type Shard, shardOf } from './shard.ts';

const model = fc.array(
  fc.record({ rows: fc.integer({ min: 1, max: 300 }), to: fc.constantFrom('F32', 'Q8_0', 'Q4_K') }),
  { minLength: 1, maxLength: 12 },
);
const cols = 256;

test('cover the file and all rows, each once', () => {
  fc.assert(
    fc.property(model, fc.integer({ min: 1, max: 20 }), (list, count) => {
      const tensors = list.map(({ rows, to }, i) => {
        const [from, target] = [dtypeByName(to === 'F32' ? 'F32' : 'BF16'), dtypeByName(to)];
        return { name: `t${i}`, shape: [rows, cols], rows, cols, from, to: target, rule: '' };
      });
      const plan = completePlan('X', new Map(), tensors);
      const layout = layoutGguf(
        new Map(),
        tensors.map(({ name, shape, to }) => ({ name, shape, dtype: to })),
      );
      const shards = Array.from({ length: count }, (_, i) => shardOf(plan, layout, { index: i + 1, count }));
      expect(shards[0]!.begin).toBe(0);
      expect(shards.at(-1)!.end).toBe(layout.fileBytes);
      for (const [i, shard] of shards.slice(1).entries()) expect(shard.begin).toBe(shards[i]!.end);

      for (const shard of shards) expectInside(shard);
      const taken = shards.flatMap(({ rows }) => rows);
      for (const tensor of plan.tensors) {
        const ranges = taken.filter((rows) => rows.tensor === tensor).map(({ range }) => range);
        let next = 0;
        for (const { first, count: rows } of ranges) {
          expect(first).toBe(next);
          next += rows;
        }
        expect(next).toBe(tensor.rows);
      }
      const longestRow = 4 * cols;
      for (const { rows } of shards) {
        const bytes = rows.reduce((sum, { tensor, range }) => sum + range.count * rowBytes(tensor.from, cols), 0);
        expect(Math.abs(bytes - plan.totals.bytesIn / count)).toBeLessThanOrEqual(longestRow + 1);
      }
    }),
  );
});

/** Every row of a shard lies in its bytes. */
function expectInside({ begin, end, rows }: Shard): void {
  for (const { tensor, range, offset } of rows) {
    expect(offset).toBeGreaterThanOrEqual(begin);
    expect(offset + range.count * rowBytes(tensor.to, tensor.cols)).toBeLessThanOrEqual(end);
  }
}

test('are numbered from 1', () => {
  expect(parseShard('3/8')).toEqual({ index: 3, count: 8 });
  for (const text of ['0/8', '9/8', '-1/8', '1/0', '1', '1/8/2', '1/100000']) {
    expect(() => parseShard(text)).toThrow(expect.objectContaining({ code: 'usage-shard' }));
  }
});
