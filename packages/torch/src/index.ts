// The format of torch.save: a zip archive and a pickle that only builds tensors.
export { torchIndexedFiles } from './index-file.ts';
export { openTorch, type TorchFile } from './open.ts';
export { openTorchIndex, openTorchParts } from './sharded.ts';
export type { TorchTensor } from './tensors/state-dict.ts';
