// Turns a dispatch of a kernel into a pipeline, bindings and parameters on the queue.
import type { Span } from '../memory/tensor-table.ts';
import type { CheckedCall } from '../ops/call.ts';
import type { OpName } from '../ops/index.ts';
import type { Op } from '../ops/op.ts';
import type { Capabilities } from './capabilities.ts';
import type { Commands } from './commands.ts';
import type { Dispatch } from './kernel.ts';
import { type Pipeline, Pipelines } from './pipelines.ts';
import { BINDING_ALIGNMENT, type BufferPool, roundUp, type Storage } from './storage.ts';
import { type Window, windowOf } from './windows.ts';

/** Bind groups are cheap to keep and not to make; a model has a few hundred different ones. */
const MAX_GROUPS = 4096;

export class Launcher {
  readonly #device: GPUDevice;
  readonly #commands: Commands;
  readonly #pool: BufferPool;
  readonly #pipelines: Pipelines;
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #tables = new Map<Uint32Array, Storage>();
  /** Kept from call to call: ops run one after the other. */
  #scratch: Storage | undefined;
  /** What is in scratch memory for calls to come, and the buffer that it was made of. */
  #prepared: { readonly name: string; readonly shard: number } | undefined;

  constructor(device: GPUDevice, commands: Commands, pool: BufferPool, capabilities: Capabilities) {
    this.#device = device;
    this.#commands = commands;
    this.#pool = pool;
    this.#pipelines = new Pipelines(device, commands, capabilities);
    pool.onDestroy = () => this.#groups.clear();
  }

  get shaders(): number {
    return this.#pipelines.count;
  }

  /** After memory was written or taken by other means than a dispatch. */
  forgetPrepared(): void {
    this.#prepared = undefined;
  }

  launch<Name extends OpName>(call: CheckedCall<Storage, Name>, dispatches: readonly Dispatch[]): void {
    const usesOwn = dispatches.some(({ scratchBytes = 0 }) => scratchBytes > 0) && !dispatches[0]!.prepares;
    if (usesOwn) this.forgetPrepared();
    for (const dispatch of dispatches) this.#launch(call, dispatch);
  }

  #launch<Name extends OpName>(call: CheckedCall<Storage, Name>, dispatch: Dispatch): void {
    const op = call.spec as unknown as Op;
    const pipeline = this.#pipelines.get(op, dispatch.shader, inPlaceOf(call));
    const { windows, copies } = this.#windows(op, call, dispatch, pipeline);
    const { fields, bindings, itemsPerWorkgroup } = pipeline;
    if (dispatch.prepares) {
      const [{ shard, offset, size, skip }] = windows as [Window];
      const name = `${dispatch.prepares} ${shard.id} ${offset} ${size} ${skip}`;
      const room = this.#scratch?.shards[0]?.byteLength ?? 0;
      if (this.#prepared?.name === name && room >= dispatch.scratchBytes!) return;
      this.#prepared = { name, shard: shard.id };
    }
    if (windows.some(({ shard }, i) => bindings[i]!.writable && shard.id === this.#prepared?.shard))
      this.forgetPrepared();
    const bound = [
      ...windows,
      ...(pipeline.usesScratch ? [this.#scratchOf(dispatch.scratchBytes ?? 0)] : []),
      ...(pipeline.table ? [this.#tableOf(pipeline.table)] : []),
    ];
    this.#commands.dispatch(
      pipeline.pipeline,
      this.#group(pipeline, bound),
      bound.map(({ shard }) => shard.buffer),
      Math.ceil(dispatch.items / itemsPerWorkgroup),
      (view, at) => {
        let next = at;
        const put = (value: number) => view.setUint32((next += 4) - 4, value, true);
        put(dispatch.items);
        for (const [i, { skip }] of windows.entries()) put(skip / bindings[i]!.baseUnit);
        for (const { name, float } of fields) {
          const value = dispatch.fields?.[name] ?? call.dims[name]!;
          if (float) view.setFloat32((next += 4) - 4, value, true);
          else put(value);
        }
      },
    );
    for (const copy of copies) this.#pool.release(copy); // who takes it again, does so after this dispatch
  }

  /** What each binding shows. WebGPU lets no buffer be read and written by one dispatch: such inputs are copied first. */
  #windows<Name extends OpName>(
    op: Op,
    call: CheckedCall<Storage, Name>,
    { rows }: Dispatch,
    { bindings }: Pipeline,
  ): { windows: readonly Window[]; copies: readonly Storage[] } {
    const spanOf = (operand: string): Span<Storage> =>
      operand === op.output.name ? call.output : call.inputs[op.inputs.findIndex(({ name }) => name === operand)]!;
    const copies: Storage[] = [];
    const windows = bindings.map(({ operand }) => windowOf(op.name, spanOf(operand), rows?.[operand]));
    const written = new Set(windows.filter((_, i) => bindings[i]!.writable).map(({ shard }) => shard));
    for (const [i, { shard, offset, size, skip }] of windows.entries()) {
      if (!written.has(shard) || bindings[i]!.writable) continue;
      const copy = this.#pool.allocateWhole(size);
      const [target] = copy.shards;
      this.#commands.copy(shard.buffer, offset, target!.buffer, 0, size);
      windows[i] = { shard: target!, offset: 0, size, skip };
      copies.push(copy);
    }
    return { windows, copies };
  }

  #scratchOf(byteLength: number): Window {
    const known = this.#scratch?.shards[0];
    if (known && known.byteLength >= byteLength) return { shard: known, offset: 0, size: known.byteLength, skip: 0 };
    if (this.#scratch) this.#pool.release(this.#scratch);
    const size = roundUp(byteLength, BINDING_ALIGNMENT);
    this.#scratch = this.#pool.allocateWhole(size);
    return { shard: this.#scratch.shards[0]!, offset: 0, size, skip: 0 };
  }

  #tableOf(table: Uint32Array): Window {
    let storage = this.#tables.get(table);
    if (!storage) {
      storage = this.#pool.allocateWhole(table.byteLength);
      this.#tables.set(table, storage);
      const { buffer } = storage.shards[0]!;
      this.#commands.finishWith(buffer); // it may have been another's, and be cleared yet
      this.#device.queue.writeBuffer(buffer, 0, table as Uint32Array<ArrayBuffer>);
    }
    return { shard: storage.shards[0]!, offset: 0, size: roundUp(table.byteLength, 16), skip: 0 };
  }

  #group({ layout, layoutKey }: Pipeline, windows: readonly Window[]): GPUBindGroup {
    const key = `${layoutKey} ${windows.map(({ shard, offset, size }) => `${shard.id} ${offset} ${size}`).join()}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const group = this.#device.createBindGroup({
      layout,
      entries: windows.map(({ shard, offset, size }, binding) => ({
        binding,
        resource: { buffer: shard.buffer, offset, size },
      })),
    });
    if (this.#groups.size >= MAX_GROUPS) this.#groups.clear();
    this.#groups.set(key, group);
    return group;
  }
}

function inPlaceOf<Name extends OpName>({ spec, inputs, output }: CheckedCall<Storage, Name>): ReadonlySet<string> {
  const same = spec.inputs.filter(
    (_, i) => inputs[i]?.storage === output.storage && inputs[i].byteOffset === output.byteOffset,
  );
  return new Set(same.map(({ name }) => name));
}
