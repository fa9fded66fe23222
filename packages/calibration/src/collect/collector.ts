// Sums of squared inputs, kept on the device while a model runs. Which weights count (tools/imatrix collect_imatrix):
// those of the blocks, and the output projection if asked for.
import type { MatmulObserver } from '@quern/models';
import type { Device, Tensor } from '@quern/runtime';
import { checkEntry, type ImportanceEntry, sortedEntries } from '../imatrix/importance-matrix.ts';

export interface CollectorOptions {
  /** Measure `output.weight` too; it changes nothing for tied models, whose output is `token_embd.weight`. */
  readonly processOutput?: boolean;
}

/** Kept where the inputs are. Rows are counted on the device for stacks of experts, where only the device knows who got them; else here. */
interface Measured {
  readonly device: Device;
  readonly sums: Tensor; // [C], or [experts, C]
  readonly counts: Tensor | undefined; // [experts, 1]
  rows: number;
}

export class ImportanceCollector implements MatmulObserver {
  /** Of inputs whose observation names none. */
  private readonly device: Device;
  private readonly processOutput: boolean;
  private readonly measured = new Map<string, Measured>();
  /** Earlier entries of weights that have not been seen yet: which device they are on is not known. */
  private readonly restored = new Map<string, ImportanceEntry>();
  private readonly ones = new Map<Device, Tensor>(); // [most tokens so far, 1]

  constructor(device: Device, { processOutput = false }: CollectorOptions = {}) {
    this.device = device;
    this.processOutput = processOutput;
  }

  onMatmulInput(weightName: string, input: Tensor, device = this.device): void {
    if (!weightName.startsWith('blk.') && !(this.processOutput && weightName === 'output.weight')) return;
    const [rows, width] = input.shape as [number, number];
    const entry = this.entryOf(weightName, [width], device);
    device.run('sumSquares', [input], entry.sums, {});
    entry.rows += rows;
  }

  onExpertInput(weightName: string, input: Tensor, ids: Tensor, experts: number, device = this.device): void {
    if (experts === 1) {
      this.onMatmulInput(weightName, input, device); // a stack of one is a plain matrix, in the file too
      return;
    }
    const { sums, counts } = this.entryOf(weightName, [experts, input.shape[1]!], device);
    device.run('sumSquaresExperts', [input, ids], sums, {});
    // A one for each token adds up to the number of tokens that an expert got; exact up to 2^24 of them.
    device.run('sumSquaresExperts', [this.onesFor(ids.shape[0]!, device), ids], counts!, {});
  }

  /**
   * What has been measured so far.
   * @throws QuernError `imatrix-bad-sum` when the model computed numbers that are not finite
   */
  async entries(): Promise<Map<string, ImportanceEntry>> {
    const entries: [string, ImportanceEntry][] = [...this.restored];
    for (const [name, { device, sums, counts, rows }] of this.measured) {
      const entry = {
        sums: floatsOf(await device.read(sums)),
        counts: counts ? floatsOf(await device.read(counts)) : Float32Array.of(rows),
      };
      checkEntry(entry, name);
      entries.push([name, entry]);
    }
    return sortedEntries(entries);
  }

  /** Goes on from earlier entries of the same model. */
  restore(entries: ReadonlyMap<string, ImportanceEntry>): void {
    for (const [name, entry] of entries) this.restored.set(name, entry);
  }

  dispose(): void {
    for (const { device, sums, counts } of this.measured.values()) {
      device.free(sums);
      if (counts) device.free(counts);
    }
    this.measured.clear();
    for (const [device, ones] of this.ones) device.free(ones);
    this.ones.clear();
  }

  private entryOf(weightName: string, shape: readonly number[], device: Device): Measured {
    const found = this.measured.get(weightName);
    if (found) return found;
    const entry: Measured = {
      device,
      sums: device.alloc('F32', shape, `importance of ${weightName}`),
      counts: shape.length > 1 ? device.alloc('F32', [shape[0]!, 1], `rows of ${weightName}`) : undefined,
      rows: 0,
    };
    this.measured.set(weightName, entry);
    const earlier = this.restored.get(weightName);
    if (earlier) {
      device.write(entry.sums, bytesOf(earlier.sums));
      if (entry.counts) device.write(entry.counts, bytesOf(earlier.counts));
      else entry.rows = earlier.counts[0]!;
      this.restored.delete(weightName);
    }
    return entry;
  }

  private onesFor(tokens: number, device: Device): Tensor {
    let ones = this.ones.get(device);
    if (!ones || ones.shape[0]! < tokens) {
      if (ones) device.free(ones);
      ones = device.alloc('F32', [tokens, 1], 'ones');
      device.write(ones, bytesOf(new Float32Array(tokens).fill(1)));
      this.ones.set(device, ones);
    }
    return device.view(ones, [tokens, 1]);
  }
}

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
