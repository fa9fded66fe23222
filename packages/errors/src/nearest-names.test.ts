import { expect, it } from 'vitest';
import { nearestNames } from './nearest-names.ts';

it.each<[string, string[], string[]]>([
  ['kitten', ['sitting', 'kitchen', 'mitten'], ['mitten', 'kitchen']], // distances 3, 2, 1
  ['Q4_KM', ['Q4_K_M', 'Q4_K_S', 'Q8_0'], ['Q4_K_M', 'Q4_K_S']],
  ['q4_k_m', ['Q4_K_M'], ['Q4_K_M']],
  ['nothing', ['Q8_0'], []],
  ['x'.repeat(1e6), ['x'], []],
])('%s', (name, known, nearest) => {
  expect(nearestNames(name, known, 2)).toEqual(nearest);
});
