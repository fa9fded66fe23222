export { openSafetensors, type Safetensors, type SafetensorsTensor } from './open.ts';
export { openSharded } from './sharded.ts';
