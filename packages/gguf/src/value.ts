// Metadata values of GGUF (gguf.md `gguf_metadata_value_type`). 64-bit integers are bigint so that nothing is rounded.

export type GgufScalarType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float32'
  | 'bool'
  | 'string'
  | 'uint64'
  | 'int64'
  | 'float64';

export type GgufScalar = number | bigint | boolean | string;

/** One typed value. Arrays are homogeneous; arrays of arrays are allowed by the format. */
export type GgufValue =
  | { type: GgufScalarType; value: GgufScalar }
  | { type: 'array'; of: GgufScalarType; value: readonly GgufScalar[] }
  | { type: 'array'; of: 'array'; value: readonly GgufValue[] };

/** In file order, which is part of the bytes we promise to reproduce. */
export type GgufMetadata = Map<string, GgufValue>;
