// Metadata that the user sets: `KEY=TYPE:VALUE` as in llama-quantize (common.cpp `string_parse_kv_override`). An int
// is stored as uint32, without its sign, a float as float32.
import { QuernError } from '@quern/errors';
import type { GgufMetadata, GgufValue } from '@quern/gguf';

export type MetadataOverride = readonly [key: string, value: GgufValue];

const mostChars = 127;

const values: Readonly<Record<string, (text: string) => GgufValue | undefined>> = {
  int: (text) => {
    const value = Math.abs(Number(text));
    return /^[+-]?\d+$/.test(text) && value < 2 ** 32 ? { type: 'uint32', value } : undefined;
  },
  float: (text) => {
    const value = Math.fround(Number(text));
    return text.trim() !== '' && Number.isFinite(value) ? { type: 'float32', value } : undefined;
  },
  bool: (text) => (text === 'true' || text === 'false' ? { type: 'bool', value: text === 'true' } : undefined),
  str: (text) => (Buffer.byteLength(text) <= mostChars ? { type: 'string', value: text } : undefined),
};

/** @throws QuernError `usage-override` */
export function parseOverride(text: string): MetadataOverride {
  const [, key, type, value] = /^([^=]+)=(int|float|bool|str):(.*)$/s.exec(text) ?? [];
  const parsed = type === undefined ? undefined : values[type]!(value!);
  if (key !== undefined && Buffer.byteLength(key) <= mostChars && parsed) return [key, parsed];
  throw new QuernError('usage-override', `'${text}' sets no metadata.`, {
    remedy: `Write KEY=int:N, KEY=float:X, KEY=bool:true or false, or KEY=str:TEXT of at most ${mostChars} bytes.`,
  });
}

/** Replaced keys go to the end, as gguf_set_val does it. */
export function setMetadata(metadata: GgufMetadata, entries: Iterable<MetadataOverride>): void {
  for (const [key, value] of entries) {
    metadata.delete(key);
    metadata.set(key, value);
  }
}
