// What a GPU can do at most, measured through WebGPU itself: bytes per second of a copy, and multiply-adds per second of
// lanes that do nothing else. The kernels of quern are measured against these.

const STORAGE = 0x80 | 0x4 | 0x8; // storage, copied from and to
const LANES = 64;
const CHAINS = 8;

/** Milliseconds of `work` on the GPU, submitted `count` times over; the best of three. */
async function bestMs(device: GPUDevice, count: number, work: (encoder: GPUCommandEncoder) => void): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < count; i++) work(encoder);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    if (round > 0) best = Math.min(best, (performance.now() - start) / count);
  }
  return best;
}

/** Bytes read and written per second by a copy between two buffers. */
export async function copyRate(device: GPUDevice, bytes: number): Promise<number> {
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: bytes, usage: STORAGE }));
  const ms = await bestMs(device, 8, (encoder) => encoder.copyBufferToBuffer(from!, 0, to!, 0, bytes));
  from!.destroy();
  to!.destroy();
  return (2 * bytes) / (ms / 1000);
}

/** Floating-point operations per second (a multiply-add is two) of `f32`, or of `f16` where the device has it. */
export async function arithmeticRate(device: GPUDevice, type: 'f32' | 'f16', groups: number): Promise<number> {
  const steps = 256;
  const names = Array.from({ length: CHAINS }, (_, i) => `sum_${i}`);
  const code = `${type === 'f16' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = vec4<${type}>(${type}(id.x & 7u) * 0.125);
${names.map((name, i) => `  var ${name} = vec4<${type}>(${i}.0);`).join('\n')}
  for (var i = 0u; i < ${steps}u; i++) {
${names.map((name) => `    ${name} = fma(${name}, a, a);`).join('\n')}
  }
  y[id.x] = f32(dot(${names.join(' + ')}, a));
}`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const y = device.createBuffer({ size: 4 * LANES * groups, usage: STORAGE });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: y } }],
  });
  const ms = await bestMs(device, 4, (encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups);
    pass.end();
  });
  y.destroy();
  return (2 * 4 * CHAINS * steps * LANES * groups) / (ms / 1000);
}
