// Memory as every device must give it: zeroed, budgeted, reusable, aliased by views.
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webgpuDevices } from './devices.ts';

const MiB = 2 ** 20;
const small: Record<string, () => Promise<Device>> = {
  reference: async () => referenceDevice({ memoryBytes: MiB }),
  cpu: () => cpuDevice({ threads: 1, memoryBytes: MiB }),
  ...Object.fromEntries(
    Object.entries(webgpuDevices).map(([name, create]) => [name, () => create({ memoryBytes: MiB })]),
  ),
};

describe.each(Object.keys(small))('%s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await small[name]!();
  });
  afterAll(() => device.dispose());

  it('keeps the budget to the byte and takes freed memory back', () => {
    const [a, b] = [device.alloc('F32', [MiB / 8]), device.alloc('F32', [MiB / 8])];
    expect(() => device.alloc('F32', [1], 'blk.0.attn_q')).toThrow(
      expect.objectContaining({ code: 'device-out-of-memory', tensor: 'blk.0.attn_q', remedy: expect.any(String) }),
    );
    expect(() => device.alloc('F32', [1])).toThrow(/4 bytes more: 1048576 of 1048576/);
    device.free(a);
    device.free(b);
    device.free(device.alloc('F32', [MiB / 4]));
  });

  it('gives zeroed memory, also where something was before', async () => {
    for (let round = 0; round < 3; round++) {
      const tensor = device.alloc('F32', [1000]);
      expect((await device.read(tensor)).every((byte) => byte === 0)).toBe(true);
      device.write(tensor, new Uint8Array(4000).fill(255));
      device.free(tensor);
    }
  });

  it('lets a view see and change part of its tensor, and outlive being freed itself', async () => {
    const tensor = device.alloc('F32', [2, 3]);
    const row = device.view(tensor, [1, 3], 12);
    device.write(row, new Uint8Array(Float32Array.of(4, 5, 6).buffer));
    const again = device.view(row, [2], 4);
    device.run('scale', [again], again, { factor: 10 });
    device.free(row);
    expect([...new Float32Array((await device.read(tensor)).buffer)]).toEqual([0, 0, 0, 4, 50, 60]);
    device.free(tensor);
  });

  it('reads a copy, in part or whole', async () => {
    const tensor = device.alloc('I32', [4]);
    device.write(tensor, new Uint8Array(Int32Array.of(1, 2, 3, 4).buffer));
    const part = await device.read(tensor, 4, 8);
    device.write(tensor, new Uint8Array(16));
    expect(part.buffer).toBeInstanceOf(ArrayBuffer);
    expect([...new Int32Array(part.buffer, part.byteOffset, 2)]).toEqual([2, 3]);
    device.free(tensor);
  });
});
