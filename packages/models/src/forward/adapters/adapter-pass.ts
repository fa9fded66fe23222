// The adapters of one device, and what they add to a batch:  y += scale · B · (A · x), for each adapter that some row asks for.
// Rows that do not ask for it have a scale of 0 there, which adds nothing: rows of one batch may have any adapters they like.
import type { Device, Tensor } from '@quern/runtime';
import type { Buffers } from '../buffers.ts';
import type { OutputBatch, TokenBatch } from '../model.ts';
import { lowBuffer, type RowKind, scaleBuffer, sumBuffer } from './adapter-buffers.ts';

export interface HeldPair {
  readonly adapter: number;
  readonly a: Tensor; // [rank, in], [experts, rank, in]; of the embedding [vocab, rank]
  readonly b: Tensor; // [out, rank], [experts, out, rank], with the pair's factor in it
}

export interface HeldAdapters {
  /** By name of the weight. */
  readonly pairs: ReadonlyMap<string, readonly HeldPair[]>;
  readonly count: number;
  /** For batches that do not say. */
  readonly usual: Float32Array;
}

/** Scales of some rows: of adapter i, `columns[i]`; undefined where all are 0. */
type RowScales = readonly (Float32Array | undefined)[];

/** By token. @returns undefined when no token asks for any adapter */
function tokenScales({ count, usual }: HeldAdapters, { seqs, adapterScales }: TokenBatch): RowScales | undefined {
  const scaleOf = (seq: number, adapter: number) => adapterScales?.[seq * count + adapter] ?? usual[adapter]!;
  const columns = Array.from({ length: count }, (_, adapter) => {
    const column = Float32Array.from(seqs, (seq) => scaleOf(seq, adapter));
    return column.some((scale) => scale !== 0) ? column : undefined;
  });
  return columns.some((column) => column) ? columns : undefined;
}

/** Where the adapters of a device are, and the memory that they pass through. */
interface AdapterPlace {
  readonly device: Device;
  readonly buffers: Buffers;
}

/** For the tokens of a batch; undefined when none of them asks for an adapter. */
export function tokenAdapters(place: AdapterPlace, held: HeldAdapters, batch: TokenBatch): AdapterPass | undefined {
  const scales = tokenScales(held, batch);
  return scales && new AdapterPass(place, held, 'token', scales);
}

/** For the rows whose logits are wanted. */
export function outputAdapters(place: AdapterPlace, held: HeldAdapters, batch: OutputBatch): AdapterPass | undefined {
  const scales = tokenScales(held, batch);
  const ofRows = (column: Float32Array | undefined) =>
    column && Float32Array.from(batch.outputRows, (row) => column[row]!);
  return scales && new AdapterPass(place, held, 'output', scales.map(ofRows));
}

/** What the adapters do on one device for some rows. */
export class AdapterPass {
  readonly #device: Device;
  readonly #held: HeldAdapters;
  readonly #buffers: Buffers;
  readonly #kind: RowKind;
  readonly #scales: readonly (Tensor | undefined)[];

  constructor({ device, buffers }: AdapterPlace, held: HeldAdapters, kind: RowKind, scales: RowScales) {
    this.#device = device;
    this.#held = held;
    this.#buffers = buffers;
    this.#kind = kind;
    this.#scales = scales.map((column, adapter) => {
      const buffer = buffers.get(scaleBuffer(kind, adapter));
      if (!column || !buffer) return undefined;
      const view = device.view(buffer, [column.length, 1]);
      device.write(view, new Uint8Array(column.buffer));
      return view;
    });
  }

  /** Adds to y [N, out] = weight · x [N, in]. */
  addTo(y: Tensor, weight: string, x: Tensor): void {
    this.#each(weight, (pair, scales) => {
      const low = this.#view(lowBuffer(this.#kind), [x.shape[0]!, pair.a.shape[0]!]);
      this.#device.run('matmul', [x, pair.a], low, {});
      this.#finish(y, low, scales, (sum) => this.#device.run('matmul', [low, pair.b], sum, {}));
    });
  }

  /** Adds to y [T·used, out] = x [T or T·used, in] times the matrices that `ids` [T, used] names. */
  addToExperts(y: Tensor, weight: string, x: Tensor, ids: Tensor): void {
    this.#each(weight, (pair, scales) => {
      const low = this.#view(lowBuffer(this.#kind), [y.shape[0]!, pair.a.shape[1]!]);
      this.#device.run('matmulExperts', [x, pair.a, ids], low, {});
      this.#finish(y, low, scales, (sum) => this.#device.run('matmulExperts', [low, pair.b, ids], sum, {}));
    });
  }

  /** Adds to the rows of the embedding that `tokens` looked up. */
  addToRows(y: Tensor, weight: string, tokens: Tensor): void {
    this.#each(weight, (pair, scales) => {
      const low = this.#view(lowBuffer(this.#kind), [tokens.shape[0]!, pair.a.shape[1]!]);
      this.#device.run('embed', [pair.a, tokens], low, {});
      this.#finish(y, low, scales, (sum) => this.#device.run('matmul', [low, pair.b], sum, {}));
    });
  }

  #each(weight: string, add: (pair: HeldPair, scales: Tensor) => void): void {
    for (const pair of this.#held.pairs.get(weight) ?? []) {
      const scales = this.#scales[pair.adapter];
      if (scales) add(pair, scales);
    }
  }

  #finish(y: Tensor, low: Tensor, scales: Tensor, multiply: (sum: Tensor) => void): void {
    // A token's rows for its experts are neighbours: seen as one row, they have one scale.
    const [tokens] = scales.shape as [number];
    const byToken = this.#device.view(low, [tokens, (low.shape[0]! * low.shape[1]!) / tokens]);
    this.#device.run('multiply', [byToken, scales], byToken, {});
    const sum = this.#view(sumBuffer(this.#kind), y.shape);
    multiply(sum);
    this.#device.run('add', [y, sum], y, {});
  }

  #view(name: string, shape: readonly number[]): Tensor {
    return this.#device.view(this.#buffers.get(name)!, shape);
  }
}
