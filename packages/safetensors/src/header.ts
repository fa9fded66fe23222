// The safetensors header, read and proved before a byte of data is used.
//
//   u64 n | n bytes of UTF-8 JSON | data
//   {"__metadata__": {key: value}, "<tensor>": {"dtype": "BF16", "shape": [rows, cols], "data_offsets": [begin, end]}}
//
// Offsets count from the end of the header. The tensors must cover the data exactly: no overlap, no hole, no rest.
// Source: the format section of huggingface/safetensors' README.
import { type DType, dtypeBySafetensorsName } from '@quern/blocks';
import { type ErrorPlace, QuernError } from '@quern/errors';
import { JsonError, JsonReader } from './json-reader.ts';

/** The limit of the reference implementation; a real header of a very large model has a few MB. */
export const maxHeaderBytes = 100_000_000;
// No framework makes more; it keeps a hostile header from asking for long arrays.
const maxDims = 64;

/** One tensor as the header declares it. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, innermost dimension last. */
  readonly shape: readonly number[];
  /** Byte range in the file (absolute). */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of the header. */
  readonly entries: readonly HeaderEntry[];
}

/** @param text the n bytes of JSON  @param fileSize size of the whole file in bytes  @param file name for errors */
export function parseHeader(text: Uint8Array, fileSize: number, file: string): Header {
  const json = decodeUtf8(text, file);
  const offsetOf = (at: number): number => 8 + new TextEncoder().encode(json.slice(0, at)).length;
  const reader = new JsonReader(json);
  const metadata = new Map<string, string>();
  const entries: HeaderEntry[] = [];
  const dataStart = 8 + text.length;

  if (json[0] !== '{') {
    throw new QuernError('safetensors-bad-json', "The header does not begin with '{'.", { file, offset: 8 });
  }
  let tensor: string | undefined;
  try {
    reader.object((name, at) => {
      if (name === '__metadata__') {
        reader.object((key) => metadata.set(key, reader.string()));
        return;
      }
      tensor = name;
      // A function: the byte offset costs a pass over the text, so it is only counted for an error.
      const place = () => ({ file, tensor: name, offset: offsetOf(at) });
      entries.push(checkEntry(name, readFields(reader, place), dataStart, fileSize, place));
      tensor = undefined;
    });
    reader.end();
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const code = error.kind === 'duplicate' ? 'safetensors-duplicate-name' : 'safetensors-bad-json';
    throw new QuernError(code, `Bad header: ${error.message}.`, { file, tensor, offset: offsetOf(error.at) });
  }
  checkCover(entries, dataStart, fileSize, file);
  return { metadata, entries };
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new QuernError('safetensors-not-utf8', 'The header is not UTF-8 text.', { file, offset: 8, cause });
  }
}

interface Fields {
  dtype?: string;
  shape?: number[];
  offsets?: number[];
}

function readFields(reader: JsonReader, place: () => ErrorPlace): Required<Fields> {
  const fields: Fields = {};
  const counts = (max: number): number[] => {
    const list: number[] = [];
    reader.array((index) => {
      if (index >= max) reader.fail(`more than ${max} numbers`);
      list.push(reader.count());
    });
    return list;
  };
  reader.object((key) => {
    if (key === 'dtype') fields.dtype = reader.string();
    else if (key === 'shape') fields.shape = counts(maxDims);
    else if (key === 'data_offsets') fields.offsets = counts(2);
    else throw new QuernError('safetensors-bad-entry', `Unknown field ${JSON.stringify(key)}.`, place());
  });
  const { dtype, shape, offsets } = fields;
  if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
    throw new QuernError('safetensors-bad-entry', 'A tensor needs dtype, shape and two data_offsets.', place());
  }
  return { dtype, shape, offsets };
}

function checkEntry(
  name: string,
  { dtype: dtypeName, shape, offsets }: Required<Fields>,
  dataStart: number,
  fileSize: number,
  place: () => ErrorPlace,
): HeaderEntry {
  const dtype = dtypeBySafetensorsName(dtypeName);
  if (!dtype) {
    throw new QuernError('safetensors-unknown-dtype', `Unknown dtype ${JSON.stringify(dtypeName)}.`, place());
  }
  const bytes = tensorBytes(dtype, shape);
  if (bytes === undefined) {
    throw new QuernError('safetensors-bad-shape', `The shape [${shape}] of ${dtypeName} has no valid size.`, place());
  }
  const [from, to] = offsets as [number, number];
  if (from > to) {
    throw new QuernError('safetensors-bad-offsets', `Its data_offsets [${from}, ${to}] run backwards.`, place());
  }
  if (to - from !== bytes) {
    throw new QuernError(
      'safetensors-size-mismatch',
      `${dtypeName} of shape [${shape}] has ${bytes} bytes, but data_offsets give ${to - from}.`,
      place(),
    );
  }
  const begin = dataStart + from;
  const end = dataStart + to;
  if (end > fileSize) {
    throw new QuernError('safetensors-truncated', `The tensor ends at ${end}, but the file at ${fileSize}.`, {
      ...place(),
      remedy: 'The file is incomplete: fetch it again.',
    });
  }
  return { name, dtype, shape, begin, end };
}

/** Bytes of a whole tensor, or undefined when the product overflows or no whole number of blocks comes out. */
export function tensorBytes(dtype: DType, shape: readonly number[]): number | undefined {
  // A zero anywhere makes the tensor empty, whatever the other dimensions say.
  const weights = shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1);
  const bytes = (weights / dtype.blockSize) * dtype.typeSize;
  return Number.isSafeInteger(weights) && weights % dtype.blockSize === 0 && Number.isSafeInteger(bytes)
    ? bytes
    : undefined;
}

function checkCover(entries: readonly HeaderEntry[], dataStart: number, fileSize: number, file: string): void {
  let end = dataStart;
  let last: string | undefined;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const place = { file, tensor: entry.name, offset: entry.begin };
    if (entry.begin < end) {
      throw new QuernError('safetensors-overlap', `The tensor overlaps ${JSON.stringify(last)}.`, place);
    }
    if (entry.begin > end) {
      throw new QuernError('safetensors-hole', `${entry.begin - end} bytes before it belong to no tensor.`, place);
    }
    end = entry.end;
    last = entry.name;
  }
  if (end !== fileSize) {
    throw new QuernError('safetensors-trailing-data', `${fileSize - end} bytes at the end belong to no tensor.`, {
      file,
      offset: end,
    });
  }
}
