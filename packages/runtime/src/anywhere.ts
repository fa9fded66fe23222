// What runs anywhere: everything but the way in which the CPU device gets its module and threads.
// The types of WebGPU and WebAssembly, for programs whose `lib` leaves them out.
/// <reference lib="dom" preserve="true" />
export { CpuDevice } from './cpu/cpu-device.ts';
export type { CpuDeviceOptions } from './cpu/create-cpu-device.ts';
export type { Device, DeviceLimits, Tensor } from './device.ts';
export { type CacheType, cacheTypes } from './ops/cache-types.ts';
export type { OpName, OpParams } from './ops/index.ts';
export type { Op, Operand, ParamRule } from './ops/op.ts';
export { ops } from './ops/table.ts';
export { type ReferenceDeviceOptions, referenceDevice } from './reference/reference-device.ts';
export { type WebgpuDeviceOptions, webgpuDevice } from './webgpu/open-device.ts';
export { type AdapterDescription, WebgpuDevice } from './webgpu/webgpu-device.ts';
