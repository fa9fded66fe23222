// Norms of a network, as data: which kind, the tensors that hold its weights, and how it is run. `name` is the GGUF name
// without `.weight`: within its block (`attn_norm`), or whole where it belongs to none (`output_norm`).
import type { Device, Tensor } from '@quern/runtime';
import type { RoomTensor } from './room.ts';

export type NormSpec = RmsNorm | UnweightedRmsNorm | LayerNorm;

/** y = x / sqrt(mean(x²) + eps) · weight */
interface RmsNorm {
  readonly kind: 'rms';
  readonly name: string;
  /** Its weight is called `name`, without `.weight`. */
  readonly bare?: true;
  readonly eps: number;
}

/** y = x / sqrt(mean(x²) + eps) */
interface UnweightedRmsNorm {
  readonly kind: 'rms-unweighted';
  readonly eps: number;
}

/** y = (x − mean) / sqrt(var + eps) · weight + bias */
interface LayerNorm {
  readonly kind: 'layer';
  readonly name: string;
  readonly eps: number;
  /** Whether it has a bias (`….bias`). */
  readonly biased: boolean;
}

export interface NormWeights {
  readonly weight?: Tensor; // [width]
  readonly bias?: Tensor; // [width]
}

export const rmsNorm = (name: string, eps: number): NormSpec => ({ kind: 'rms', name, eps });

export const layerNorm = (name: string, eps: number, biased = true): NormSpec => ({ kind: 'layer', name, eps, biased });

export function normTensors(
  norm: NormSpec,
  width: number,
): { readonly weight?: RoomTensor; readonly bias?: RoomTensor } {
  if (norm.kind === 'rms-unweighted') return {};
  return {
    weight: { name: norm.kind === 'rms' && norm.bare ? norm.name : `${norm.name}.weight`, shape: [width] },
    ...(norm.kind === 'layer' && norm.biased && { bias: { name: `${norm.name}.bias`, shape: [width] } }),
  };
}

/** x, y [.., width]; y may be x. */
export function runNorm(device: Device, { kind, eps }: NormSpec, weights: NormWeights, x: Tensor, y: Tensor): void {
  const { weight, bias } = weights;
  const inputs = [x, weight, bias].filter((tensor) => tensor !== undefined);
  device.run(kind === 'layer' ? 'layerNorm' : 'rmsNorm', inputs, y, { eps });
}
