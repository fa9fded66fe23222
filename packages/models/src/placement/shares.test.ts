// Blocks that use the keys and values of an earlier block stay on its device.
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { openModel } from '../open-model.ts';
import { plannedModel, planShares } from './plan.ts';
import type { PlannedModel } from './shares.ts';

const device = { name: 'cpu', limits: { memoryBytes: 2 ** 32 } };
let model: PlannedModel;
let keyBytes: number;

/** Qwen 3 whose block 3 uses the keys of block 1. */
beforeAll(async () => {
  const view = await openModel(fileURLToPath(new URL('../../../../test/models/arch/qwen3', import.meta.url)));
  const own = plannedModel(view, { batchTokens: 8, cells: 64 });
  await view.close();
  const blocks = own.network.blocks.map((block, i) => ({
    subLayers: block.subLayers.map((subLayer) => ({
      ...subLayer,
      parts: subLayer.parts.map((part) =>
        i === 3 && part.room.kind === 'attention' ? { ...part, room: { ...part.room, keysOf: 1 } } : part,
      ),
    })),
  }));
  model = { ...own, network: { ...own.network, blocks } };
  keyBytes = planShares(own, [device], {}).placement.devices[0]!.kvBytes / 4;
});

it('are counted once', () => {
  expect(planShares(model, [device], {}).placement.devices[0]!.kvBytes).toBe(3 * keyBytes);
});

it('are not parted', () => {
  for (const first of [0, 1, 4, 5])
    expect(() => planShares(model, [device, device], { layers: [first, 5 - first] }), `${first}`).not.toThrow();
  for (const first of [2, 3])
    expect(() => planShares(model, [device, device], { layers: [first, 5 - first] })).toThrow(
      expect.objectContaining({
        code: 'placement-invalid',
        message: expect.stringMatching(/block 3 uses the keys and values of block 1, on another device/),
      }),
    );
});

it('are not parted where a device is filled', () => {
  const layers = ['fill', 'fill'] as const;
  const [, last] = planShares(model, [device, device], { layers: [1, 4] }).placement.devices;
  const enough = last!.weightBytes + last!.kvBytes + last!.activationBytes;
  // Room for three of the four layers that belong together: only the output is taken.
  const small = { name: 'gpu', limits: { memoryBytes: Math.floor(enough / 0.98) - 1 } };
  const placed = planShares(model, [device, small], { layers }).placement.devices;
  expect(placed.map(({ firstBlock, endBlock }) => [firstBlock, endBlock])).toEqual([
    [0, 4],
    [4, 4],
  ]);
});
