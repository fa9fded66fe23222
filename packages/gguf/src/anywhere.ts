// What runs anywhere: reading from any source.
export { type GgufLayout, type GgufTensorPlan, layoutGguf, type TensorPlace } from './layout.ts';
export { type Gguf, type OpenGgufOptions, openGguf } from './open.ts';
export { type GgufHeader, readGgufHeader } from './read-header.ts';
export type { GgufTensor } from './read-tensors.ts';
export type { GgufMetadata, GgufScalar, GgufScalarType, GgufValue } from './value.ts';
