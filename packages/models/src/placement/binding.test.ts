// A model and devices that bind little at a time: refused with the numbers, or left to the CPU, before anything is read.
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExpertsSpec } from '../forward/feed-forwards/experts/spec.ts';
import { partsOf } from '../forward/network.ts';
import { openModel } from '../open-model.ts';
import { plannedModel, planShares } from './plan.ts';
import type { PlannedModel } from './shares.ts';

const path = (name: string) => fileURLToPath(new URL(`../../../../test/models/${name}`, import.meta.url));
const memoryBytes = 2 ** 32;
const cpu = { name: 'cpu', limits: { memoryBytes } };
const gpuBinding = (bindingBytes: number) => ({ name: 'webgpu', limits: { memoryBytes, bindingBytes } });

async function modelAt(name: string, batchTokens: number): Promise<PlannedModel> {
  const view = await openModel(path(name));
  const model = plannedModel(view, { batchTokens, cells: 64 });
  await view.close();
  return model;
}

describe('a device that binds little', () => {
  let dense: PlannedModel;
  let experts: PlannedModel;
  let logitsBytes: number;
  beforeAll(async () => {
    dense = await modelAt('arch/llama3', 32);
    experts = await modelAt('arch/qwen2moe', 512);
    logitsBytes = 4 * dense.network.vocabSize;
  });

  it('takes what it can bind row by row', () => {
    const { placement } = planShares(dense, [gpuBinding(logitsBytes)], {});
    expect(placement.devices).toHaveLength(1);
  });

  it('is refused with the numbers when a row is above its limit', () => {
    expect(() => planShares(dense, [gpuBinding(logitsBytes - 256)], {})).toThrow(
      expect.objectContaining({
        code: 'device-binding-limit',
        message: expect.stringMatching(
          new RegExp(
            `row of the buffer logits has ${logitsBytes} bytes; the webgpu device binds ${logitsBytes - 256} at`,
          ),
        ),
        remedy: expect.stringMatching(/CPU/),
      }),
    );
    expect(() => planShares(dense, [gpuBinding(64)], {})).toThrow(/row of (token_embd|blk\.0).* binds 64 at a time/);
  });

  it('gets only the layers that it can bind where another device takes the rest', () => {
    const small = gpuBinding(logitsBytes - 256);
    const { placement } = planShares(dense, [cpu, small], { layers: ['fill', 'fill'] });
    expect(placement.devices).toEqual([expect.objectContaining({ device: 'cpu', output: true })]);
    const first = planShares(dense, [small, cpu], { layers: ['fill', 1] }).placement;
    expect(first.devices).toMatchObject([
      { device: 'webgpu', output: false, endBlock: dense.network.blocks.length },
      { device: 'cpu', output: true },
    ]);
  });

  it('is named where the devices together do not hold the model', () => {
    const small = gpuBinding(logitsBytes - 256);
    expect(() => planShares(dense, [small], { layers: ['fill'] })).toThrow(
      expect.objectContaining({
        code: 'model-too-large',
        message: expect.stringMatching(
          /Of the whole, a row of the buffer logits has \d+ bytes; the webgpu device binds/,
        ),
      }),
    );
  });

  it('is refused when a batch would be cut between the slots of a token', () => {
    const room = partsOf(experts.network.blocks[0]!).find((part) => part.room.kind === 'experts')!.room;
    const { used, width: feedForwardLength } = room as ExpertsSpec;
    const tokens = Math.ceil(4096 / (4 * feedForwardLength * used));
    const slots = used * tokens + 1; // what a buffer holds of them
    const rows = experts.limits.batchTokens * used;
    expect(used > 1 && slots < rows).toBe(true);
    expect(() => planShares(experts, [gpuBinding(4 * feedForwardLength * slots)], {})).toThrow(
      new RegExp(`buffer gate of ${rows} rows has \\d+ bytes, and cannot be cut between tokens of ${used} rows`),
    );
  });
});
