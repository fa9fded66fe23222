// `enum gguf_metadata_value_type` (gguf.md): the id of each type in the file, and the bytes of one value.
import type { GgufScalarType } from './value.ts';

export interface ScalarTypeInfo {
  readonly type: GgufScalarType;
  readonly id: number;
  /** Bytes of a value; for strings the least there can be (the length). */
  readonly minBytes: number;
}

export const arrayTypeId = 9;
/** An array value costs at least its element type and its count. */
export const arrayMinBytes = 12;

const scalar = (type: GgufScalarType, id: number, minBytes: number): ScalarTypeInfo => ({ type, id, minBytes });

const scalarTypes: readonly ScalarTypeInfo[] = [
  scalar('uint8', 0, 1),
  scalar('int8', 1, 1),
  scalar('uint16', 2, 2),
  scalar('int16', 3, 2),
  scalar('uint32', 4, 4),
  scalar('int32', 5, 4),
  scalar('float32', 6, 4),
  scalar('bool', 7, 1),
  scalar('string', 8, 8),
  scalar('uint64', 10, 8),
  scalar('int64', 11, 8),
  scalar('float64', 12, 8),
];

export const scalarTypeById = new Map(scalarTypes.map((info) => [info.id, info]));
export const scalarTypeByName = new Map(scalarTypes.map((info) => [info.type, info]));
