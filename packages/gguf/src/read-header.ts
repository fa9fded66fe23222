// One GGUF file (gguf.md, versions 2 and 3, little-endian):
//
//   "GGUF" | u32 version | u64 tensors | u64 pairs | pairs | tensor infos | padding | data
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { HeaderWindow } from './header-window.ts';
import { defaultAlignment, maxAlignment } from './limits.ts';
import { type ElementBudget, readPair } from './read-metadata.ts';
import { type GgufTensor, placeTensors, readTensorInfo, type TensorInfo } from './read-tensors.ts';
import { alignUp } from './tensor-bytes.ts';
import type { GgufMetadata } from './value.ts';

const magic = 0x46554747;
// Empty name or one-letter key, and the smallest of everything that must follow.
const minPairBytes = 8 + 1 + 4 + 1;
const minInfoBytes = 8 + 4 + 4 + 8;

/** What one file says about itself, proved against its size. */
export interface GgufHeader {
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly alignment: number;
  /** Absolute offset of the data section. */
  readonly dataOffset: number;
}

/**
 * Reads the header of one file, by growing ranges; splits are not followed.
 * @throws QuernError `gguf-*`, see docs/formats/gguf.md.
 */
export async function readGgufHeader(source: Source): Promise<GgufHeader> {
  const window = new HeaderWindow(source);
  const { version, tensorCount, pairCount } = await window.item(readPreamble);
  const file = source.name;

  const metadata: GgufMetadata = new Map();
  const budget: ElementBudget = { used: 0 };
  for (let i = 0; i < pairCount; i++) {
    const offset = window.offset;
    const { key, value } = await window.item((w) => readPair(w, budget));
    if (metadata.has(key)) throw new QuernError('gguf-duplicate-key', `The key ${key} occurs twice.`, { file, offset });
    metadata.set(key, value);
  }
  const alignment = alignmentOf(metadata, file);

  const infos = new Map<string, TensorInfo>();
  for (let i = 0; i < tensorCount; i++) {
    const info = await window.item(readTensorInfo);
    if (infos.has(info.name)) {
      throw new QuernError('gguf-duplicate-tensor', 'Two tensors have this name.', {
        file,
        tensor: info.name,
        offset: info.infoOffset,
      });
    }
    infos.set(info.name, info);
  }
  // Vocabulary files have no data section, and then no padding either.
  const dataOffset = tensorCount > 0 ? alignUp(window.offset, alignment) : window.offset;
  return {
    version,
    metadata,
    tensors: placeTensors([...infos.values()], source, dataOffset, alignment),
    alignment,
    dataOffset,
  };
}

function readPreamble(window: HeaderWindow): { version: number; tensorCount: number; pairCount: number } {
  const file = window.source.name;
  if (window.source.size < 4 || window.u32() !== magic) {
    throw new QuernError('gguf-bad-magic', "The file does not begin with 'GGUF'.", { file, offset: 0 });
  }
  const version = window.u32();
  if (version !== 0 && (version & 0xffff) === 0) {
    throw new QuernError('gguf-big-endian', 'The file is big-endian.', {
      file,
      offset: 4,
      remedy: 'Convert it to little-endian first (gguf-py has gguf_convert_endian).',
    });
  }
  if (version !== 2 && version !== 3) {
    throw new QuernError('gguf-unsupported-version', `Version ${version}; versions 2 and 3 are known.`, {
      file,
      offset: 4,
    });
  }
  const tensorCount = readCount(window, 'tensors', minInfoBytes);
  const pairCount = readCount(window, 'metadata pairs', minPairBytes);
  return { version, tensorCount, pairCount };
}

function readCount(window: HeaderWindow, what: string, minBytes: number): number {
  const offset = window.offset;
  const count = window.count();
  if (count * minBytes > window.source.size) {
    throw new QuernError('gguf-bad-count', `${count} ${what} do not fit into a file of ${window.source.size} bytes.`, {
      file: window.source.name,
      offset,
    });
  }
  return count;
}

/** `general.alignment`, a power of two (32 when absent). */
export function alignmentOf(metadata: GgufMetadata, file?: string): number {
  const entry = metadata.get('general.alignment');
  if (!entry) return defaultAlignment;
  const value = entry.type === 'uint32' ? (entry.value as number) : 0;
  if (value <= 0 || value > maxAlignment || !Number.isInteger(Math.log2(value))) {
    throw new QuernError(
      'gguf-bad-alignment',
      `The key general.alignment must be a uint32 power of two up to ${maxAlignment}, not ${entry.value} (${entry.type}).`,
      { file },
    );
  }
  return value;
}
