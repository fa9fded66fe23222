// Shaders and pipelines, built when first needed and kept: by name for speed, by source so that equal ones are shared.
import type { Op } from '../ops/op.ts';
import type { Capabilities } from './capabilities.ts';
import type { Commands } from './commands.ts';
import { STAGE_COMPUTE } from './gpu-constants.ts';
import type { Shader } from './kernel.ts';
import { type ComposedShader, composeShader } from './shader-source.ts';

export interface Pipeline extends ComposedShader {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Equal for equal layouts. */
  readonly layoutKey: string;
}

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #commands: Commands;
  readonly #capabilities: Capabilities;
  readonly #byName = new Map<string, Pipeline>();
  readonly #bySource = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice, commands: Commands, capabilities: Capabilities) {
    this.#device = device;
    this.#commands = commands;
    this.#capabilities = capabilities;
  }

  /** Shaders built so far. */
  get count(): number {
    return this.#bySource.size;
  }

  get(op: Op, shader: Shader, inPlace: ReadonlySet<string>): Pipeline {
    const name = inPlace.size ? `${shader.name} in ${[...inPlace].join()}` : shader.name;
    const known = this.#byName.get(name);
    if (known) return known;
    const composed = composeShader(op, shader.parts(this.#capabilities), inPlace);
    const pipeline = this.#bySource.get(composed.source) ?? this.#build(name, composed);
    this.#byName.set(name, pipeline);
    this.#bySource.set(composed.source, pipeline);
    return pipeline;
  }

  #build(label: string, composed: ComposedShader): Pipeline {
    const layoutKey = keyOf(composed);
    const layout = this.#layoutOf(layoutKey);
    const pipeline = this.#device.createComputePipeline({
      label,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.#commands.paramsLayout, layout] }),
      compute: { module: this.#device.createShaderModule({ label, code: composed.source }) },
    });
    return { ...composed, pipeline, layout, layoutKey };
  }

  #layoutOf(key: string): GPUBindGroupLayout {
    const known = this.#layouts.get(key);
    if (known) return known;
    const layout = this.#device.createBindGroupLayout({
      entries: [...key].map((access, binding) => ({
        binding,
        visibility: STAGE_COMPUTE,
        buffer: { type: access === 'w' ? 'storage' : 'read-only-storage' },
      })),
    });
    this.#layouts.set(key, layout);
    return layout;
  }
}

/** `r` and `w` for bindings that are read and written. */
const keyOf = ({ bindings, usesScratch, table }: ComposedShader): string =>
  bindings.map(({ writable }) => (writable ? 'w' : 'r')).join('') + (usesScratch ? 'w' : '') + (table ? 'r' : '');
