// Where a model is computed: which layers each device holds, and the bytes it needs for them.

/**
 * `layer`: each device computes some consecutive layers, one device after the other. `row`: every device computes a part
 * of every block, all at the same time.
 */
export type SplitMode = 'layer' | 'row';
export const splitModes: readonly SplitMode[] = ['layer', 'row'];

export interface PlacementOptions {
  /** How several devices share the model. Default `layer`. */
  readonly split?: SplitMode;
  /**
   * For `layer`: how many layers each device takes, in the order of the devices. The blocks of the network are layers, and
   * so is the output, the last one (llama.cpp's count: `-ngl 1` is the output alone). Devices with `'fill'` take what is
   * left, the last of them as much as it can hold. Default: the same number on each.
   */
  readonly layers?: readonly (number | 'fill')[];
}

export interface DevicePlacement {
  /** Name of the device. */
  readonly device: string;
  /** Blocks `firstBlock` … `endBlock - 1`. */
  readonly firstBlock: number;
  readonly endBlock: number;
  readonly embedding: boolean;
  readonly output: boolean;
  /** How many draft blocks it has; they count behind the others. */
  readonly draftBlocks: number;
  readonly weightBytes: number;
  readonly kvBytes: number;
  readonly activationBytes: number;
  /** What the device may hold in all. */
  readonly memoryBytes: number;
}

export interface Placement {
  readonly split: SplitMode;
  /** In the order of the devices; one that has nothing to do is left out. */
  readonly devices: readonly DevicePlacement[];
}

/** One line for a person: `cpu: embedding, blocks 0-9 (812 MiB); webgpu: blocks 10-31, output (3021 MiB)`. */
export function describePlacement({ split, devices }: Placement): string {
  const lines = devices.map((share) => `${share.device}: ${partsOf(share)} (${mebibytes(bytesOf(share))})`);
  return (split === 'row' && devices.length > 1 ? 'split by rows, ' : '') + lines.join('; ');
}

export const bytesOf = ({ weightBytes, kvBytes, activationBytes }: DevicePlacement): number =>
  weightBytes + kvBytes + activationBytes;

function partsOf({ embedding, output, draftBlocks, firstBlock, endBlock }: DevicePlacement): string {
  const parts = [];
  if (embedding) parts.push('embedding');
  if (endBlock - firstBlock === 1) parts.push(`block ${firstBlock}`);
  else if (endBlock > firstBlock) parts.push(`blocks ${firstBlock}-${endBlock - 1}`);
  if (output) parts.push('output');
  if (draftBlocks > 0) parts.push(draftBlocks === 1 ? 'draft block' : `${draftBlocks} draft blocks`);
  return parts.join(', ');
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
