import { expect, test } from 'vitest';
import { parseCount } from './index.ts';

test('the range that a message names is the range that is taken', () => {
  expect(parseCount('--port', '0', 65535, 0)).toBe(0);
  expect(parseCount('--port', '65535', 65535, 0)).toBe(65535);
  expect(parseCount('--threads', undefined, 8)).toBeUndefined();
  for (const text of ['65536', '-1', '1.5', '', ' ', '1e3', 'x'])
    expect(() => parseCount('--port', text, 65535, 0)).toThrow(
      `--port must be a number from 0 to 65535, not '${text}'.`,
    );
  expect(() => parseCount('--threads', '0', 8)).toThrow('--threads must be a number from 1 to 8');
});
