// Every op on every device against the reference, within the tolerance the op declares; and the CPU device gives the
// same bits on any number of threads.
import { CpuDevice, type Device, type OpName, ops, referenceDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, runCase } from './case.ts';
import { cases } from './cases.ts';
import { devices } from './devices.ts';

const reference = referenceDevice();
const running: { name: string; device: Device }[] = [];

beforeAll(async () => {
  for (const [name, create] of Object.entries(devices)) running.push({ name, device: await create() });
});
afterAll(async () => {
  for (const { device } of running) await device.dispose();
});

it('has a case for every op', () => {
  expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)));
});

describe.each(Object.keys(ops) as OpName[])('%s', (op) => {
  it.each(cases.filter((entry) => entry.op === op))('$title', async (entry) => {
    const truth = await runCase(reference, entry);
    const results = [];
    for (const { name, device } of running) {
      const result = await runCase(device, entry);
      expect(errorOf(entry, result, truth), `NMSE on ${name}`).toBeLessThanOrEqual(ops[op].tolerance);
      if (device instanceof CpuDevice) results.push(result);
    }
    for (const result of results) expect(Buffer.compare(result, results[0]!), 'bits on more threads').toBe(0);
  });
});

it('ran every op on its own kernel', () => {
  for (const { device } of running) if (device instanceof CpuDevice) expect([...device.fallbacks]).toEqual([]);
});
