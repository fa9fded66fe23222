// Sums of squared inputs, kept on the device while a model runs. Which weights count (tools/imatrix collect_imatrix):
// those of the blocks, and the output projection if asked for.
import { QuernError } from '@quern/errors';
import type { MatmulObserver } from '@quern/models';
import type { Device, Tensor } from '@quern/runtime';
import { checkEntry, type ImportanceEntry, sortedEntries } from '../imatrix/importance-matrix.ts';

export interface CollectorOptions {
  /** Measure `output.weight` too; it changes nothing for tied models, whose output is `token_embd.weight`. */
  readonly processOutput?: boolean;
}

export class ImportanceCollector implements MatmulObserver {
  private readonly device: Device;
  private readonly processOutput: boolean;
  private readonly measured = new Map<string, { sums: Tensor; rows: number }>();

  constructor(device: Device, { processOutput = false }: CollectorOptions = {}) {
    this.device = device;
    this.processOutput = processOutput;
  }

  onMatmulInput(weightName: string, input: Tensor): void {
    if (!weightName.startsWith('blk.') && !(this.processOutput && weightName === 'output.weight')) return;
    const [rows, width] = input.shape as [number, number];
    const entry = this.entryOf(weightName, width);
    this.device.run('sumSquares', [input], entry.sums, {});
    entry.rows += rows;
  }

  /**
   * What has been measured so far.
   * @throws QuernError `imatrix-bad-sum` when the model computed numbers that are not finite
   */
  async entries(): Promise<Map<string, ImportanceEntry>> {
    const entries: [string, ImportanceEntry][] = [];
    for (const [name, { sums, rows }] of this.measured) {
      const entry = { sums: floatsOf(await this.device.read(sums)), counts: Float32Array.of(rows) };
      checkEntry(entry, name);
      entries.push([name, entry]);
    }
    return sortedEntries(entries);
  }

  /** Goes on from earlier entries of the same model. @throws QuernError `imatrix-bad-shape` for stacks of experts */
  restore(entries: ReadonlyMap<string, ImportanceEntry>): void {
    for (const [name, { sums, counts }] of entries) {
      if (counts.length !== 1)
        throw new QuernError('imatrix-bad-shape', 'A stack of experts cannot be measured yet.', { tensor: name });
      const entry = this.entryOf(name, sums.length);
      this.device.write(entry.sums, new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength));
      entry.rows = counts[0]!;
    }
  }

  dispose(): void {
    for (const { sums } of this.measured.values()) this.device.free(sums);
    this.measured.clear();
  }

  private entryOf(weightName: string, width: number) {
    const found = this.measured.get(weightName);
    if (found) return found;
    const entry = { sums: this.device.alloc('F32', [width], `importance of ${weightName}`), rows: 0 };
    this.measured.set(weightName, entry);
    return entry;
  }
}

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
