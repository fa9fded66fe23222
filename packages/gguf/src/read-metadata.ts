// One metadata pair: string key | u32 type | value. A string is u64 length | bytes; an array is
// u32 element type | u64 count | elements (gguf.md `gguf_metadata_kv_t`).
import { type ErrorPlace, QuernError } from '@quern/errors';
import type { HeaderWindow } from './header-window.ts';
import { maxArrayDepth, maxArrayElements, maxNameBytes, maxStringBytes } from './limits.ts';
import { decodeText, decodeUtf8 } from './text.ts';
import type { GgufScalar, GgufScalarType, GgufValue } from './value.ts';
import { arrayMinBytes, arrayTypeId, scalarTypeById } from './value-type.ts';

/** Array elements read so far in this file. */
export interface ElementBudget {
  used: number;
}

/** A key or tensor name: these must be valid UTF-8, since they are looked up and shown. */
export function readName(window: HeaderWindow, what: string): string {
  const place = { file: window.source.name, offset: window.offset };
  const length = window.count();
  if (length > maxNameBytes)
    throw new QuernError('gguf-name-too-long', `A ${what} has ${length} bytes, more than ${maxNameBytes}.`, place);
  try {
    return decodeUtf8(window.raw(length));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new QuernError('gguf-name-not-utf8', `A ${what} is not UTF-8 text.`, { ...place, cause });
  }
}

/** Reads one pair. */
export function readPair(window: HeaderWindow, budget: ElementBudget): { key: string; value: GgufValue } {
  const place = { file: window.source.name, offset: window.offset };
  const key = readName(window, 'key');
  if (key === '') throw new QuernError('gguf-empty-key', 'A metadata key is empty.', place);
  // The budget is only charged when the pair is complete: the pair may be parsed again on a larger window.
  const trial = { used: budget.used };
  const value = readValue(window, window.u32(), key, 0, trial);
  budget.used = trial.used;
  return { key, value };
}

function readValue(window: HeaderWindow, id: number, key: string, depth: number, budget: ElementBudget): GgufValue {
  if (id === arrayTypeId) return readArray(window, key, depth, budget);
  const type = scalarType(window, id, key);
  return { type, value: readers[type](window, key) };
}

function readArray(window: HeaderWindow, key: string, depth: number, budget: ElementBudget): GgufValue {
  if (depth >= maxArrayDepth) {
    throw new QuernError('gguf-array-too-deep', `${key} nests arrays deeper than ${maxArrayDepth}.`, here(window));
  }
  const id = window.u32();
  const nested = id === arrayTypeId;
  const of = nested ? 'array' : scalarType(window, id, key);
  const count = window.count();
  const minBytes = count * (nested ? arrayMinBytes : scalarTypeById.get(id)!.minBytes);
  if (minBytes > window.remaining) {
    throw new QuernError(
      'gguf-truncated',
      `${key} claims ${count} elements, more than the file can hold.`,
      here(window),
    );
  }
  budget.used += count;
  if (budget.used > maxArrayElements) {
    throw new QuernError('gguf-array-too-long', `${key} has ${count} elements, too many.`, {
      ...here(window),
      remedy: `All arrays of a file together may have ${maxArrayElements}.`,
    });
  }
  window.ensure(minBytes);
  if (of === 'array') {
    const value: GgufValue[] = [];
    for (let i = 0; i < count; i++) value.push(readArray(window, key, depth + 1, budget));
    return { type: 'array', of, value };
  }
  // Decoding is most of the work, and an item that runs out of the window is parsed again.
  if (of === 'string') window.ensureStrings(count, maxStringBytes);
  const read = readers[of];
  const value: GgufScalar[] = new Array(count);
  for (let i = 0; i < count; i++) value[i] = read(window, key);
  return { type: 'array', of, value };
}

function scalarType(window: HeaderWindow, id: number, key: string): GgufScalarType {
  const info = scalarTypeById.get(id);
  if (!info) throw new QuernError('gguf-unknown-value-type', `${key} has the unknown value type ${id}.`, here(window));
  return info.type;
}

function here(window: HeaderWindow): ErrorPlace {
  return { file: window.source.name, offset: window.offset };
}

const readers: Record<GgufScalarType, (window: HeaderWindow, key: string) => GgufScalar> = {
  uint8: (window) => window.u8(),
  int8: (window) => window.i8(),
  uint16: (window) => window.u16(),
  int16: (window) => window.i16(),
  uint32: (window) => window.u32(),
  int32: (window) => window.i32(),
  float32: (window) => window.f32(),
  float64: (window) => window.f64(),
  uint64: (window) => window.u64(),
  int64: (window) => window.i64(),
  bool: (window, key) => {
    const place = here(window);
    const byte = window.u8();
    // gguf.md: anything but 0 and 1 is invalid.
    if (byte > 1) throw new QuernError('gguf-bad-bool', `${key} holds ${byte} as a bool.`, place);
    return byte === 1;
  },
  string: (window, key) => {
    const place = here(window);
    const length = window.count();
    if (length > maxStringBytes) {
      throw new QuernError(
        'gguf-string-too-long',
        `${key} holds a string of ${length} bytes, more than ${maxStringBytes}.`,
        place,
      );
    }
    return decodeText(window.raw(length));
  },
};
