// Metadata pairs as bytes: the inverse of read-metadata.ts, with every value checked against its type.
import { QuernError } from '@quern/errors';
import type { HeaderBytes } from './header-bytes.ts';
import { maxNameBytes } from './limits.ts';
import { encodeText } from './text.ts';
import type { GgufScalar, GgufScalarType, GgufValue } from './value.ts';
import { arrayTypeId, scalarTypeByName } from './value-type.ts';

/** A string without loss of the escaped bytes that reading may have put into it. */
export function writeString(out: HeaderBytes, text: string, what: string): number {
  const bytes = encodeText(text);
  if (!bytes) throw new QuernError('gguf-bad-value', `${what} holds a lone surrogate, which has no bytes.`);
  out.u64(bytes.length);
  out.raw(bytes);
  return bytes.length;
}

export function writePair(out: HeaderBytes, key: string, value: GgufValue): void {
  const length = writeString(out, key, 'a key');
  if (length === 0) throw new QuernError('gguf-empty-key', 'A metadata key is empty.');
  if (length > maxNameBytes)
    throw new QuernError('gguf-name-too-long', `A key has ${length} bytes, more than ${maxNameBytes}.`);
  out.u32(value.type === 'array' ? arrayTypeId : typeId(value.type));
  writeValue(out, key, value);
}

function writeValue(out: HeaderBytes, key: string, value: GgufValue): void {
  if (value.type !== 'array') {
    writers[value.type](out, value.value, key);
    return;
  }
  out.u32(value.of === 'array' ? arrayTypeId : typeId(value.of));
  out.u64(value.value.length);
  if (value.of === 'array') {
    for (const item of value.value) {
      if (item.type !== 'array') throw badValue(key, 'array', item.type);
      writeValue(out, key, item);
    }
  } else {
    const write = writers[value.of];
    for (const item of value.value) write(out, item, key);
  }
}

const typeId = (type: GgufScalarType): number => scalarTypeByName.get(type)!.id;

function badValue(key: string, type: string, value: unknown): QuernError {
  return new QuernError('gguf-bad-value', `${key}: ${String(value)} is no ${type}.`);
}

type Write = (out: HeaderBytes, value: GgufScalar, key: string) => void;

const integer =
  (type: GgufScalarType, low: number, high: number, write: (out: HeaderBytes, value: number) => void): Write =>
  (out, value, key) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
      throw badValue(key, type, value);
    }
    write(out, value);
  };

const bigInteger =
  (type: GgufScalarType, low: bigint, high: bigint): Write =>
  (out, value, key) => {
    if (typeof value !== 'bigint' || value < low || value > high) throw badValue(key, type, value);
    out.u64(BigInt.asUintN(64, value));
  };

const float =
  (type: GgufScalarType, write: (out: HeaderBytes, value: number) => void): Write =>
  (out, value, key) => {
    if (typeof value !== 'number') throw badValue(key, type, value);
    write(out, value);
  };

const writers: Record<GgufScalarType, Write> = {
  uint8: integer('uint8', 0, 0xff, (out, value) => out.u8(value)),
  int8: integer('int8', -0x80, 0x7f, (out, value) => out.u8(value)),
  uint16: integer('uint16', 0, 0xffff, (out, value) => out.u16(value)),
  int16: integer('int16', -0x8000, 0x7fff, (out, value) => out.u16(value)),
  uint32: integer('uint32', 0, 0xffffffff, (out, value) => out.u32(value)),
  int32: integer('int32', -0x80000000, 0x7fffffff, (out, value) => out.u32(value)),
  float32: float('float32', (out, value) => out.f32(value)),
  float64: float('float64', (out, value) => out.f64(value)),
  uint64: bigInteger('uint64', 0n, 2n ** 64n - 1n),
  int64: bigInteger('int64', -(2n ** 63n), 2n ** 63n - 1n),
  bool: (out, value, key) => {
    if (typeof value !== 'boolean') throw badValue(key, 'bool', value);
    out.u8(value ? 1 : 0);
  },
  string: (out, value, key) => {
    if (typeof value !== 'string') throw badValue(key, 'string', value);
    writeString(out, value, key);
  },
};
