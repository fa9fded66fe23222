export type { Device, DeviceLimits, Tensor } from './device.ts';
export type { OpName, OpParams } from './ops/index.ts';
