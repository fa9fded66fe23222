// Typed access to GGUF metadata. Integers of all widths and floats of both are accepted where the meaning is a number,
// as llama.cpp's loader does; everything is range-checked before anybody allocates by it.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufValue } from '@quern/gguf';

export interface MetadataReader {
  has(key: string): boolean;
  string(key: string): string;
  optionalString(key: string): string | undefined;
  integer(key: string, min: number, max: number): number;
  optionalInteger(key: string, fallback: number, min: number, max: number): number;
  /** A scalar, or an array with one value for every layer when all are equal. */
  uniformInteger(key: string, min: number, max: number): number;
  /** One value for each of `layers`: a scalar stands for all of them. */
  perLayer(key: string, layers: number, min: number, max: number): number[];
  /** The same of any numbers. */
  numberPerLayer(key: string, layers: number, min: number, max: number): number[];
  /** The same of switches, which some files have as 0 and 1. */
  switchPerLayer(key: string, layers: number): boolean[];
  optionalSwitch(key: string, fallback: boolean): boolean;
  number(key: string, min: number, max: number): number;
  optionalNumber(key: string, fallback: number, min: number, max: number): number;
  fail(key: string, why: string): never;
}

const show = (value: GgufValue) =>
  value.type === 'array' ? `an array of ${value.value.length}` : `${value.type} ${String(value.value).slice(0, 80)}`;

/** `prefix` is put before every key (`llama.`). */
export function metadataReader(view: Pick<ModelView, 'path' | 'metadata'>, prefix = ''): MetadataReader {
  const place = { file: view.path };
  const error = (code: string, key: string, why: string) =>
    new QuernError(code, `Metadata key "${prefix}${key}": ${why}.`, place);
  const get = (key: string) => view.metadata.get(prefix + key);
  const must = (key: string): GgufValue => {
    const value = get(key);
    if (!value) throw error('metadata-missing', key, 'missing');
    return value;
  };
  const numeric = (key: string, value: GgufValue): number => {
    if (value.type === 'array' || typeof value.value === 'string' || typeof value.value === 'boolean') {
      throw error('metadata-bad-type', key, `a number was expected, found ${show(value)}`);
    }
    return Number(value.value);
  };
  const inRange = (key: string, value: number, min: number, max: number): number => {
    if (!(value >= min && value <= max)) {
      throw error('metadata-bad-value', key, `${value} is outside ${min}…${max}`);
    }
    return value;
  };
  const integer = (key: string, value: GgufValue, min: number, max: number): number => {
    const number = numeric(key, value);
    if (!Number.isInteger(number)) throw error('metadata-bad-value', key, `${number} is not an integer`);
    return inRange(key, number, min, max);
  };
  const eachLayer = (key: string, layers: number, one: (value: GgufValue) => number): number[] => {
    const value = must(key);
    if (value.type !== 'array' || value.of === 'array') return new Array<number>(layers).fill(one(value));
    const { of, value: items } = value;
    if (items.length !== layers) throw error('metadata-bad-value', key, `${items.length} values for ${layers} layers`);
    return items.map((item) => one({ type: of, value: item } as GgufValue));
  };
  const isOn = (key: string, item: unknown): boolean => {
    if (item !== true && item !== false && Number(item) !== 0 && Number(item) !== 1)
      throw error('metadata-bad-value', key, `${String(item)} is no switch`);
    return Boolean(Number(item));
  };
  const text = (key: string, value: GgufValue): string => {
    if (value.type !== 'string') throw error('metadata-bad-type', key, `a string was expected, found ${show(value)}`);
    return String(value.value);
  };
  return {
    has: (key) => get(key) !== undefined,
    string: (key) => text(key, must(key)),
    optionalString: (key) => {
      const value = get(key);
      return value && text(key, value);
    },
    integer: (key, min, max) => integer(key, must(key), min, max),
    optionalInteger: (key, fallback, min, max) => {
      const value = get(key);
      return value ? integer(key, value, min, max) : fallback;
    },
    uniformInteger: (key, min, max) => {
      const value = must(key);
      if (value.type !== 'array' || value.of === 'array') return integer(key, value, min, max);
      const { of, value: items } = value;
      const [first, ...rest] = items.map((item) => integer(key, { type: of, value: item }, min, max));
      if (first === undefined) throw error('metadata-bad-value', key, 'an empty array');
      if (rest.some((item) => item !== first)) {
        throw error('unsupported-model', key, 'layers of different sizes are not supported');
      }
      return first;
    },
    perLayer: (key, layers, min, max) => eachLayer(key, layers, (value) => integer(key, value, min, max)),
    numberPerLayer: (key, layers, min, max) =>
      eachLayer(key, layers, (value) => inRange(key, numeric(key, value), min, max)),
    switchPerLayer: (key, layers) => {
      const { type, value } = must(key);
      const items: readonly unknown[] = type === 'array' ? value : new Array(layers).fill(value);
      if (items.length !== layers)
        throw error('metadata-bad-value', key, `${items.length} values for ${layers} layers`);
      return items.map((item) => isOn(key, item));
    },
    optionalSwitch: (key, fallback) => {
      const value = get(key);
      return value ? isOn(key, value.value) : fallback;
    },
    number: (key, min, max) => inRange(key, numeric(key, must(key)), min, max),
    optionalNumber: (key, fallback, min, max) => {
      const value = get(key);
      return value ? inRange(key, numeric(key, value), min, max) : fallback;
    },
    fail: (key, why) => {
      throw error('metadata-bad-value', key, why);
    },
  };
}
