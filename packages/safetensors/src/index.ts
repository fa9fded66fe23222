export { indexedFiles } from './index-file.ts';
export { layoutSafetensors, type PlacedTensor, type SafetensorsEntry, type SafetensorsLayout } from './layout.ts';
export { openSafetensors, type Safetensors, type SafetensorsTensor } from './open.ts';
export { openIndexed, openParts } from './sharded.ts';
export { type SafetensorsInput, writeSafetensors } from './write.ts';
