// Writes of bytes that do not fill 32-bit words: WebGPU only writes whole ones, but a row of Q8_0 or F16 may end in the
// middle of a word. A kernel of one lane puts such bytes in place and keeps those beside them.
import type { Commands } from './commands.ts';
import { STAGE_COMPUTE } from './gpu-constants.ts';

const source = `
struct Params { index: u32, keep: u32, bits: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> words: array<u32>;
@compute @workgroup_size(1)
fn main() {
  words[p.index] = (words[p.index] & p.keep) | p.bits;
}
`;

export class EdgeWriter {
  readonly #device: GPUDevice;
  readonly #commands: Commands;
  readonly #layout: GPUBindGroupLayout;
  readonly #pipeline: GPUComputePipeline;

  constructor(device: GPUDevice, commands: Commands) {
    this.#device = device;
    this.#commands = commands;
    this.#layout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: STAGE_COMPUTE, buffer: { type: 'storage' } }],
    });
    this.#pipeline = device.createComputePipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [commands.paramsLayout, this.#layout] }),
      compute: { module: device.createShaderModule({ code: source }) },
    });
  }

  /** Bytes `at` … of `buffer`, all within one word. */
  write(buffer: GPUBuffer, at: number, bytes: Uint8Array): void {
    let keep = 0xffffffff;
    let bits = 0;
    for (const [i, byte] of bytes.entries()) {
      const shift = 8 * ((at + i) % 4);
      keep &= ~(255 << shift);
      bits |= byte << shift;
    }
    const group = this.#device.createBindGroup({
      layout: this.#layout,
      entries: [{ binding: 0, resource: { buffer } }],
    });
    this.#commands.dispatch(this.#pipeline, group, [buffer], 1, (view, params) => {
      view.setUint32(params, Math.floor(at / 4), true);
      view.setUint32(params + 4, keep, true);
      view.setUint32(params + 8, bits, true);
    });
  }
}
