export type { GgufMetadata, GgufScalar, GgufScalarType, GgufValue } from './value.ts';
