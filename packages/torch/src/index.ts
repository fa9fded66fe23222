// The format of torch.save: a zip archive and a pickle that only builds tensors.
export { openTorch, type TorchFile } from './open.ts';
export { openTorchFolder, torchWeights, torchWeightsPattern } from './sharded.ts';
export type { TorchTensor } from './tensors/state-dict.ts';
