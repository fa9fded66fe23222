// Sums of squared inputs, kept on the device while a model runs. Which weights count (tools/imatrix collect_imatrix):
// those of the blocks, and the output projection if asked for.
import type { MatmulObserver } from '@quern/models';
import type { Device, Tensor } from '@quern/runtime';
import { checkEntry, type ImportanceEntry, sortedEntries } from '../imatrix/importance-matrix.ts';

export interface CollectorOptions {
  /** Measure `output.weight` too; it changes nothing for tied models, whose output is `token_embd.weight`. */
  readonly processOutput?: boolean;
}

/** Rows are counted on the device for stacks of experts, where only the device knows who got them; else here. */
interface Measured {
  readonly sums: Tensor; // [C], or [experts, C]
  readonly counts: Tensor | undefined; // [experts, 1]
  rows: number;
}

export class ImportanceCollector implements MatmulObserver {
  private readonly device: Device;
  private readonly processOutput: boolean;
  private readonly measured = new Map<string, Measured>();
  private ones: Tensor | undefined; // [most tokens so far, 1]

  constructor(device: Device, { processOutput = false }: CollectorOptions = {}) {
    this.device = device;
    this.processOutput = processOutput;
  }

  onMatmulInput(weightName: string, input: Tensor): void {
    if (!weightName.startsWith('blk.') && !(this.processOutput && weightName === 'output.weight')) return;
    const [rows, width] = input.shape as [number, number];
    const entry = this.entryOf(weightName, [width]);
    this.device.run('sumSquares', [input], entry.sums, {});
    entry.rows += rows;
  }

  onExpertInput(weightName: string, input: Tensor, ids: Tensor, experts: number): void {
    if (experts === 1) {
      this.onMatmulInput(weightName, input); // a stack of one is a plain matrix, in the file too
      return;
    }
    const { sums, counts } = this.entryOf(weightName, [experts, input.shape[1]!]);
    this.device.run('sumSquaresExperts', [input, ids], sums, {});
    // A one for each token adds up to the number of tokens that an expert got; exact up to 2^24 of them.
    this.device.run('sumSquaresExperts', [this.onesFor(ids.shape[0]!), ids], counts!, {});
  }

  /**
   * What has been measured so far.
   * @throws QuernError `imatrix-bad-sum` when the model computed numbers that are not finite
   */
  async entries(): Promise<Map<string, ImportanceEntry>> {
    const entries: [string, ImportanceEntry][] = [];
    for (const [name, { sums, counts, rows }] of this.measured) {
      const entry = {
        sums: floatsOf(await this.device.read(sums)),
        counts: counts ? floatsOf(await this.device.read(counts)) : Float32Array.of(rows),
      };
      checkEntry(entry, name);
      entries.push([name, entry]);
    }
    return sortedEntries(entries);
  }

  /** Goes on from earlier entries of the same model. */
  restore(entries: ReadonlyMap<string, ImportanceEntry>): void {
    for (const [name, { sums, counts }] of entries) {
      const experts = counts.length;
      const entry = this.entryOf(name, experts > 1 ? [experts, sums.length / experts] : [sums.length]);
      this.device.write(entry.sums, bytesOf(sums));
      if (entry.counts) this.device.write(entry.counts, bytesOf(counts));
      else entry.rows = counts[0]!;
    }
  }

  dispose(): void {
    for (const { sums, counts } of this.measured.values()) {
      this.device.free(sums);
      if (counts) this.device.free(counts);
    }
    this.measured.clear();
    if (this.ones) this.device.free(this.ones);
    this.ones = undefined;
  }

  private entryOf(weightName: string, shape: readonly number[]): Measured {
    const found = this.measured.get(weightName);
    if (found) return found;
    const entry: Measured = {
      sums: this.device.alloc('F32', shape, `importance of ${weightName}`),
      counts: shape.length > 1 ? this.device.alloc('F32', [shape[0]!, 1], `rows of ${weightName}`) : undefined,
      rows: 0,
    };
    this.measured.set(weightName, entry);
    return entry;
  }

  private onesFor(tokens: number): Tensor {
    if (!this.ones || this.ones.shape[0]! < tokens) {
      if (this.ones) this.device.free(this.ones);
      this.ones = this.device.alloc('F32', [tokens, 1], 'ones');
      this.device.write(this.ones, bytesOf(new Float32Array(tokens).fill(1)));
    }
    return this.device.view(this.ones, [tokens, 1]);
  }
}

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
