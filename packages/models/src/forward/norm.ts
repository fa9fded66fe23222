// Norms of a network, as data: which kind, the tensor that holds its weight, and how it is run.
import type { Device, Tensor } from '@quern/runtime';
import type { RoomTensor } from './room.ts';

export interface NormSpec {
  /** y = x / sqrt(mean(x²) + eps) · weight */
  readonly kind: 'rms';
  /** GGUF name without `.weight`: within its block (`attn_norm`), or whole where it belongs to none (`output_norm`). */
  readonly name: string;
  readonly eps: number;
}

export interface NormWeights {
  readonly weight: Tensor; // [width]
}

export const rmsNorm = (name: string, eps: number): NormSpec => ({ kind: 'rms', name, eps });

export const normTensors = ({ name }: NormSpec, width: number): { readonly weight: RoomTensor } => ({
  weight: { name: `${name}.weight`, shape: [width] },
});

/** x, y [.., width]; y may be x. */
export function runNorm(device: Device, { eps }: NormSpec, { weight }: NormWeights, x: Tensor, y: Tensor): void {
  device.run('rmsNorm', [x, weight], y, { eps });
}
