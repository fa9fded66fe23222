// Metadata values as GGUF has them: a subset of what the gguf package calls `GgufValue`.

export type GgufLikeValue =
  | { type: 'string'; value: string }
  | { type: 'bool'; value: boolean }
  | { type: 'uint32'; value: number }
  | { type: 'array'; of: 'string'; value: readonly string[] }
  | { type: 'array'; of: 'float32' | 'int32' | 'uint8'; value: readonly number[] };

export type GgufLikeMetadata = Map<string, GgufLikeValue>;
