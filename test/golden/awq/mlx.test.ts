// Rounding with offsets against mlx itself, bit by bit: groups of one sign, of zeros and of one value among them.
import { quantizeMatrix } from '@quern/awq';
import { f16ToF32 } from '@quern/blocks';
import { packers } from '@quern/packed';
import { expect, it } from 'vitest';
import { recordedTensors } from './recorded.ts';

it.each([3, 4, 8])('%i bits: the words, scales and offsets of mlx', async (bits) => {
  const recorded = await recordedTensors('mlx.safetensors');
  const weights = Float32Array.from(new Uint16Array(recorded.get('w')!), f16ToF32);
  const grid = { bits, groupSize: 64, symmetric: false, leastZero: 0, offsets: true };
  const matrix = quantizeMatrix(weights, { tensor: 'w', rows: 32, cols: 128 }, grid);
  const options = { bits, groupSize: 64, symmetric: false, scaleDType: 'F16' };
  const parts = packers.get('mlx')!.pack(matrix, options);
  for (const part of ['weight', 'scales', 'biases'])
    expect(Buffer.from(parts.get(part)!).equals(Buffer.from(recorded.get(`${bits}.${part}`)!)), part).toBe(true);
});
