// The format of torch.save before torch 1.6 (and of `_use_new_zipfile_serialization=False` since):
//
//   pickle 0x1950a86a20f9469cfc6c | pickle 1001 | pickle {protocol_version, little_endian, type_sizes}
//   pickle the value | pickle [storage keys] | per key: u64 length in numbers, then the numbers
//
// Pickles do not say how long they are. Source: torch/serialization.py `_legacy_save`, `_legacy_load`.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { EndOfBytes } from './pickle/byte-reader.ts';
import { maxPickleBytes, type Unpickled, unpickle } from './pickle/unpickle.ts';
import { PickleDict, type PickleValue, type StorageRef } from './pickle/values.ts';
import { type StateDict, type StorageBytes, stateDict } from './tensors/state-dict.ts';

const magic = Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e);

export async function isLegacy(source: Source): Promise<boolean> {
  if (source.size < magic.length) return false;
  const begin = await source.read(0, magic.length);
  // Protocols differ in the second byte.
  return begin.every((byte, i) => i === 1 || byte === magic[i]);
}

/** @throws QuernError `torch-*` */
export async function readLegacyFile(source: Source): Promise<StateDict> {
  const { name: file } = source;
  const [, version, system, value, keys] = await readPickles(source);
  if (version!.value !== 1001)
    throw new QuernError('torch-unsupported', `The file has protocol version ${String(version!.value)}.`, { file });
  if (!(system!.value instanceof PickleDict) || system!.value.entries.get('little_endian') !== true)
    throw new QuernError('torch-unsupported', 'The file is not little-endian.', {
      file,
      remedy: 'Load and save it again on a little-endian machine.',
    });
  // The sizes of numbers are those of the storages, which only the value describes.
  const storages = await findStorages(source, keys!.value, keys!.end, value!.storages);
  return stateDict(value!.value, ({ key }) => storages.get(key), file);
}

/** The five pickles at the beginning: more of the file is read until they are complete. */
async function readPickles(source: Source): Promise<Unpickled[]> {
  for (let window = 2 ** 20; ; window *= 4) {
    const length = Math.min(window, source.size, maxPickleBytes);
    const bytes = await source.read(0, length);
    try {
      const pickles: Unpickled[] = [];
      for (let i = 0; i < 5; i++)
        pickles.push(unpickle(bytes, { file: source.name, offset: 0 }, undefined, pickles.at(-1)?.end ?? 0));
      return pickles;
    } catch (error) {
      if (!(error instanceof EndOfBytes)) throw error;
      const code = length === source.size ? 'torch-truncated' : 'torch-pickle-too-large';
      if (length === window) continue;
      throw new QuernError(code, `The pickle does not end within ${length} bytes.`, { file: source.name, offset: 0 });
    }
  }
}

async function findStorages(
  source: Source,
  keys: PickleValue,
  begin: number,
  known: ReadonlyMap<string, StorageRef>,
): Promise<Map<string, StorageBytes>> {
  const { name: file, size } = source;
  const found = new Map<string, StorageBytes>();
  if (!Array.isArray(keys)) throw new QuernError('torch-bad-pickle', 'The storages have no list of keys.', { file });
  let at = begin;
  for (const key of keys) {
    const storage = typeof key === 'string' ? known.get(key) : undefined;
    if (!storage)
      throw new QuernError('torch-unsupported', `Storage ${JSON.stringify(key)} belongs to no tensor.`, {
        file,
        offset: at,
      });
    if (at + 8 > size) throw truncated(file, at);
    const head = await source.read(at, 8);
    const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
    if (length !== BigInt(storage.length))
      throw new QuernError('torch-bad-tensor', `Storage ${storage.key} has ${length} numbers, not ${storage.length}.`, {
        file,
        offset: at,
      });
    const bytes = storage.length * (storage.dtype?.typeSize ?? 1);
    if (at + 8 + bytes > size) throw truncated(file, at);
    found.set(storage.key, { source, begin: at + 8, bytes });
    at += 8 + bytes;
  }
  return found;
}

const truncated = (file: string, offset: number): QuernError =>
  new QuernError('torch-truncated', 'The file ends within a storage.', {
    file,
    offset,
    remedy: 'The file is incomplete: fetch it again.',
  });
