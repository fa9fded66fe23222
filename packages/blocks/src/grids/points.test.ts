// points.wasm.ts is this file's snapshot: after changing the points,
// `npx vitest run packages/blocks/src/grids/points.test.ts -u`.
import { expect, test } from 'vitest';
import * as points from './points.ts';

const tables = [
  ['IQ2_XXS_POINTS', points.iq2xxsPoints, 256],
  ['IQ2_XS_POINTS', points.iq2xsPoints, 512],
  ['IQ2_S_POINTS', points.iq2sPoints, 1024],
  ['IQ1_POINTS', points.iq1Points, 2048],
  ['IQ3_XXS_POINTS', points.iq3xxsPoints, 256],
  ['IQ3_S_POINTS', points.iq3sPoints, 512],
] as const;

test('every index has a point', () => {
  for (const [name, table, count] of tables) expect(table.length, name).toBe(count);
});

test('points.wasm.ts holds the same points', async () => {
  const lines = tables.flatMap(([name, table]) => {
    const words = [];
    for (let i = 0; i < table.length; i += 4) {
      const word = table.subarray(i, i + 4).reduceRight((high, point) => (high << 16n) | BigInt(point), 0n);
      words.push(`0x${word.toString(16).padStart(16, '0')}`);
    }
    const rows = [];
    for (let i = 0; i < words.length; i += 6) rows.push(`  ${words.slice(i, i + 6).join(', ')},`);
    return ['', `export const ${name} = memory.data<u64>([`, ...rows, '], 16);'];
  });
  const file = [
    '// The points of the grids as constants, 16 bits each, four to a word. Decoders need them, and those may keep nothing but',
    '// constants (threads of the runtime share one memory). Written from points.ts by points.test.ts; do not edit.',
    ...lines,
    '',
  ].join('\n');
  await expect(file).toMatchFileSnapshot('points.wasm.ts');
});
