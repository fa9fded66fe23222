// What the WebGPU device does beside computing: order of writes and ops, one submit per read, odd bytes, loss, timeouts, ends.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Tensor, WebgpuDevice, webgpuDevice } from '@quern/runtime';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useSwiftShader } from './software-gpu.ts';

const missing = useSwiftShader();
const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const bytesOf = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe.skipIf(missing)(`webgpu device${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await webgpuDevice({ software: true });
  });
  afterAll(() => device.dispose());

  const floats = (...values: number[]): Tensor => {
    const tensor = device.alloc('F32', [values.length]);
    device.write(tensor, bytesOf(...values));
    return tensor;
  };
  const valuesOf = async (tensor: Tensor) => [...new Float32Array((await device.read(tensor)).buffer)];

  it('submits once for any number of ops and the read after them', async () => {
    const x = floats(1, 2);
    await device.sync();
    const before = device.counts.submits;
    for (let i = 0; i < 20; i++) device.run('scale', [x], x, { factor: 2 });
    expect(await valuesOf(x)).toEqual([2 ** 20, 2 ** 21]);
    expect(device.counts.submits).toBe(before + 1);
  });

  it('runs more ops than one submit holds', async () => {
    const x = floats(0);
    const one = floats(1);
    for (let i = 0; i < 3000; i++) device.run('add', [x, one], x, {});
    expect(await valuesOf(x)).toEqual([3000]);
  });

  it('lets a write wait for the ops before it', async () => {
    const [x, y] = [floats(1, 2), floats(0, 0)];
    device.run('scale', [x], y, { factor: 3 });
    device.write(x, bytesOf(7, 8));
    expect(await valuesOf(y)).toEqual([3, 6]);
    expect(await valuesOf(x)).toEqual([7, 8]);
  });

  it('reads what an op wrote although the tensor is freed and its memory taken by another', async () => {
    const [x, y] = [floats(1, 2), floats(0, 0)];
    device.run('scale', [x], y, { factor: 3 });
    const reading = device.read(y);
    device.free(y);
    expect(await valuesOf(device.alloc('F32', [2]))).toEqual([0, 0]);
    expect([...new Float32Array((await reading).buffer)]).toEqual([3, 6]);
  });

  it('computes between parts of one tensor', async () => {
    const whole = floats(1, 2, 10, 20, 0, 0);
    const [a, b, y] = [0, 8, 16].map((at) => device.view(whole, [2], at));
    device.run('add', [a!, b!], y!, {});
    expect(await valuesOf(whole)).toEqual([1, 2, 10, 20, 11, 22]);
  });

  it('writes and reads any bytes of a tensor', async () => {
    const piece = fc.record({ at: fc.nat(33), bytes: fc.uint8Array({ maxLength: 13, minLength: 1 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
        const tensor = device.alloc('F16', [23]);
        const truth = new Uint8Array(46);
        for (const { at, bytes } of pieces) {
          truth.set(bytes, at);
          device.write(tensor, bytes, at);
        }
        expect(await device.read(tensor)).toEqual(truth);
        const { at, bytes } = pieces[0]!;
        expect(await device.read(tensor, at, bytes.length)).toEqual(truth.slice(at, at + bytes.length));
        device.free(tensor);
      }),
      { numRuns: 40 },
    );
  });

  it('knows the bound of indices that an op wrote', async () => {
    const logits = device.alloc('F32', [1, 8]);
    const ids = device.alloc('I32', [1, 2]);
    device.run('route', [logits], ids, { used: 2 });
    const [x, w, y] = [device.alloc('F32', [1, 4]), device.alloc('F32', [8, 3, 4]), device.alloc('F32', [2, 3])];
    device.run('matmulExperts', [x, w, ids], y, {});
    const few = device.view(w, [7, 3, 4]);
    expect(() => device.run('matmulExperts', [x, few, ids], y, {})).toThrow(/ids\[0\] is 7/);
    await device.sync();
  });

  it('refuses a type without a kernel by name, and says which there are', () => {
    const [x, w, y] = [device.alloc('F32', [1, 256]), device.alloc('F8_E4M3', [1, 256]), device.alloc('F32', [1, 1])];
    expect(() => device.run('matmul', [x, w], y, {})).toThrow(
      expect.objectContaining({ code: 'dtype-without-kernel', remedy: expect.stringMatching(/Q4_K/) }),
    );
  });

  /** Opens a device whose driver compiles something else than it was given. */
  async function openFaulty(fault: (code: string) => string): Promise<WebgpuDevice> {
    const driver = Object.getPrototypeOf(device.gpuDevice) as GPUDevice;
    const { createShaderModule } = driver;
    driver.createShaderModule = function (descriptor) {
      return createShaderModule.call(this, { ...descriptor, code: fault(descriptor.code) });
    };
    try {
      return await webgpuDevice({ software: true, activations: 'int8', capabilities: { teams: true } });
    } finally {
      driver.createShaderModule = createShaderModule;
    }
  }

  it('does without what the driver computes wrongly, and says so', async () => {
    const noSubgroups = await openFaulty((code) => code.replace('subgroupAdd(value)', 'value'));
    expect(noSubgroups.rejected).toEqual(['subgroups']);
    expect(noSubgroups.capabilities).toMatchObject({ subgroups: false, teams: true });
    const noTeams = await openFaulty((code) =>
      code.replaceAll('workgroupBarrier();', '').replace('half > 0u', 'half > 1u'),
    );
    expect(noTeams.rejected).toEqual(['subgroups', 'teams']);
    await expect(openFaulty((code) => code.replace('sum_0_0 +=', 'sum_0_0 -='))).rejects.toMatchObject({
      code: 'device-self-test',
    });
    const noIntegers = await openFaulty((code) =>
      code.replace('dot4I8Packed(a.w, b.w)', 'i32(dot4U8Packed(a.w, b.w))'),
    );
    expect(noIntegers.rejected).toEqual(['integers']);
    expect(noIntegers.activations).toBe('f32');
    await Promise.all([noSubgroups.dispose(), noTeams.dispose(), noIntegers.dispose()]);
  });

  it('names a shader that does not compile, and gives no result', async () => {
    await expect(openFaulty((code) => code.replace('fn main(', 'fn ('))).rejects.toMatchObject({
      code: 'device-failed',
      message: expect.stringMatching(/parsing WGSL/),
    });
  });

  it('rejects what is under way and all that follows when the device is lost; another device works', async () => {
    const doomed = await webgpuDevice({ software: true });
    const x = doomed.alloc('F32', [4]);
    doomed.run('scale', [x], x, { factor: 2 });
    const reading = doomed.read(x);
    doomed.gpuDevice.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'device-lost', remedy: expect.any(String) });
    expect(() => doomed.run('scale', [x], x, { factor: 2 })).toThrow(/was lost/);
    expect(() => doomed.write(x, bytesOf(1))).toThrow(/was lost/);
    await expect(doomed.read(x)).rejects.toMatchObject({ code: 'device-lost' });
    await expect(doomed.sync()).rejects.toMatchObject({ code: 'device-lost' });
    await doomed.dispose();
    expect(await valuesOf(floats(5))).toEqual([5]);
  });

  it('gives up on work that takes too long, and says so from then on', async () => {
    const { gpuDevice, adapter, capabilities, limits } = await webgpuDevice({ software: true });
    const storage = { memoryBytes: limits.memoryBytes, shardBytes: capabilities.maxBindingBytes };
    const hasty = new WebgpuDevice({ device: gpuDevice, adapter, capabilities, limits: storage, timeoutMs: 50 });
    const [x, w, y] = [
      [128, 1024],
      [1024, 1024],
      [128, 1024],
    ].map((shape) => hasty.alloc('F32', shape));
    for (let i = 0; i < 3; i++) hasty.run('matmul', [x!, w!], y!, {}); // 0.8 Gflop: half a second and more
    await expect(hasty.read(y!)).rejects.toMatchObject({
      code: 'device-timeout',
      message: expect.stringMatching(/50 ms/),
    });
    expect(() => hasty.run('matmul', [x!, w!], y!, {})).toThrow(/did not finish/);
    await hasty.dispose();
  });

  it('refuses everything after dispose, which may be called twice', async () => {
    const other = await webgpuDevice({ software: true });
    const x = other.alloc('F32', [4]);
    await Promise.all([other.dispose(), other.dispose()]);
    expect(() => other.run('scale', [x], x, { factor: 1 })).toThrow(/disposed/);
    expect(() => other.alloc('F32', [4])).toThrow(/disposed/);
  });

  it.each([{ memoryBytes: -1 }, { memoryBytes: Number.NaN }, { timeoutMs: 0 }])('refuses %o', async (options) => {
    await expect(webgpuDevice({ software: true, ...options })).rejects.toMatchObject({ code: 'device-bad-option' });
  });

  it('says what was looked for, and what to do, where there is no driver at all', async () => {
    const program = `
      const { webgpuDevice } = await import('@quern/runtime');
      const error = await webgpuDevice({ software: true }).catch((error) => error);
      console.log(JSON.stringify([error.code, error.message, error.remedy]));`;
    const args = ['--input-type=module', '-e', program];
    const env = { ...process.env, VK_ICD_FILENAMES: '/dev/null', VK_DRIVER_FILES: '/dev/null' };
    const { stdout } = await run(process.execPath, args, { cwd: root, env });
    const [code, message, remedy] = JSON.parse(stdout) as string[];
    expect(code).toBe('webgpu-no-adapter');
    expect(message).toMatch(/Vulkan/);
    expect(remedy).toMatch(/graphics driver.*cpu device/);
  });

  it('lets a process end that forgot to dispose', async () => {
    const program = `
      const { useSwiftShader } = await import('./test/conformance/software-gpu.ts');
      useSwiftShader();
      const { webgpuDevice } = await import('@quern/runtime');
      const device = await webgpuDevice({ software: true });
      const x = device.alloc('F32', [2]);
      device.run('scale', [x], x, { factor: 2 });
      console.log((await device.read(x)).length);`;
    const args = ['--import', 'tsx', '--conditions=source', '--input-type=module', '-e', program];
    expect((await run(process.execPath, args, { cwd: root })).stdout.trim()).toBe('8');
  });
});
