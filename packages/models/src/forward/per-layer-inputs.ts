// Inputs that every block has of its own beside the residual stream (Gemma 4's per-layer embeddings), computed when the
// tokens are embedded. With x the embedding of a token, L blocks and W scalars for each:
//   inputs = (norm(projection · x / √C) + √W · table[token]) / √2            [T, L·W], the norm over the W of each block
import type { Tensor } from '@quern/runtime';
import type { Network, PerLayerInputs } from './network.ts';
import { type BatchPass, project } from './pass.ts';

export interface PerLayerWeights {
  readonly table: Tensor; // [vocab, L·W]
  readonly projection: Tensor; // [L·W, C]
  readonly norm: Tensor; // [W]
}

/** Names of buffers. */
export const perLayerInputs = 'perLayerInputs';
export const perLayerTable = 'perLayerTable';

const tensorNames = {
  table: 'per_layer_token_embd.weight',
  projection: 'per_layer_model_proj.weight',
  norm: 'per_layer_proj_norm.weight',
} as const;

export const perLayerWidth = ({ blocks, embedding: { perLayer } }: Network): number =>
  blocks.length * (perLayer?.width ?? 0);

/** None where the network has no such inputs. */
export function perLayerTensors(network: Network): { readonly name: string; readonly shape: readonly number[] }[] {
  const { vocabSize, embeddingLength, embedding } = network;
  if (!embedding.perLayer) return [];
  const width = perLayerWidth(network);
  return [
    { name: tensorNames.table, shape: [vocabSize, width] },
    { name: tensorNames.projection, shape: [width, embeddingLength] },
    { name: tensorNames.norm, shape: [embedding.perLayer.width] },
  ];
}

export const perLayerWeights = (loaded: ReadonlyMap<string, Tensor>): PerLayerWeights => ({
  table: loaded.get(tensorNames.table)!,
  projection: loaded.get(tensorNames.projection)!,
  norm: loaded.get(tensorNames.norm)!,
});

/** Of a pass whose residual stream holds the embedding. */
export function computePerLayerInputs(
  pass: BatchPass,
  { width, eps }: PerLayerInputs,
  { table, projection, norm }: PerLayerWeights,
): void {
  const { device, buffer } = pass;
  const [x, inputs, ofTokens] = [buffer('residual'), buffer(perLayerInputs), buffer(perLayerTable)];
  const byBlock = device.view(inputs, [(inputs.shape[0]! * inputs.shape[1]!) / width, width]);
  project(pass, x, projection, undefined, inputs);
  device.run('scale', [inputs], inputs, { factor: 1 / Math.sqrt(x.shape[1]!) });
  device.run('rmsNorm', [byBlock, norm], byBlock, { eps });
  device.run('embed', [table, buffer('tokens')], ofTokens, {});
  device.run('scale', [ofTokens], ofTokens, { factor: Math.sqrt(width) });
  device.run('add', [inputs, ofTokens], inputs, {});
  device.run('scale', [inputs], inputs, { factor: Math.SQRT1_2 });
}
