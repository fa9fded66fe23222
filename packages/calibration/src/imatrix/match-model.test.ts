import { expect, test } from 'vitest';
import { matchModel } from './match-model.ts';

const tensors = new Map([
  ['blk.0.attn_q.weight', { shape: [8, 32] }],
  ['blk.0.ffn_up_exps.weight', { shape: [4, 64, 32] }],
]);
const match = (entries: Record<string, number>) =>
  matchModel(
    new Map(Object.entries(entries).map(([name, length]) => [name, { length, matrices: 1 }])),
    tensors,
    'x.gguf',
  );

test('columns, and columns of every expert', () => {
  expect(match({ 'blk.0.attn_q.weight': 32, 'blk.0.ffn_up_exps.weight': 128, other: 1 })).toEqual(['other']);
});

test.each<[string | undefined, Record<string, number>]>([
  ['blk.0.attn_q.weight', { 'blk.0.attn_q.weight': 8 }],
  ['blk.0.ffn_up_exps.weight', { 'blk.0.ffn_up_exps.weight': 32 }],
  [undefined, { 'blk.1.attn_q.weight': 32 }],
])('another model (%s)', (tensor, entries) => {
  expect(() => match(entries)).toThrow(
    expect.objectContaining({ code: 'imatrix-other-model', tensor, file: 'x.gguf' }),
  );
});
