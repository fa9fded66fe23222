// The format of torch.save since torch 1.6: a zip archive of
//
//   <any>/data.pkl      the pickle                 <any>/data/<key>   one storage each, 64-byte aligned
//   <any>/byteorder     little or big              <any>/version …    not needed
//
// Source: torch/serialization.py `_save`, caffe2/serialize/inline_container.cc.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { EndOfBytes } from './pickle/byte-reader.ts';
import { maxPickleBytes, unpickle } from './pickle/unpickle.ts';
import type { PickleValue, StorageRef } from './pickle/values.ts';
import { type StateDict, type StorageBytes, stateDict } from './tensors/state-dict.ts';
import { readDirectory, type ZipEntry } from './zip/directory.ts';
import { entryBytes, inflateBudget } from './zip/entry-source.ts';

/** @throws QuernError `zip-*`, `torch-*` */
export async function readZipFile(source: Source): Promise<StateDict> {
  const { name: file } = source;
  const entries = await readDirectory(source);
  const pickle = [...entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle)
    throw new QuernError('torch-not-recognized', 'The zip archive has no data.pkl: torch.save did not write it.', {
      file,
      remedy: entries.has('[Content_Types].xml') ? undefined : 'A TorchScript or other archive holds no state dict.',
    });
  const root = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`))
    throw new QuernError('torch-unsupported', 'The file is a TorchScript module, which holds code.', {
      file,
      remedy: 'Save its state_dict() instead.',
    });
  const budget = inflateBudget();
  const read = async (entry: ZipEntry): Promise<Uint8Array> => {
    const { source: bytes, begin } = entryBytes(source, entry, budget);
    return bytes.read(begin, entry.bytes);
  };
  await checkByteOrder(entries.get(`${root}byteorder`), read, file);
  if (pickle.bytes > maxPickleBytes)
    throw new QuernError('torch-pickle-too-large', `The pickle has ${pickle.bytes} bytes.`, {
      file,
      remedy: `At most ${maxPickleBytes} are read.`,
    });
  const value = run(await read(pickle), pickle, file);

  const storages = new Map<string, StorageBytes>();
  const storageOf = ({ key }: StorageRef): StorageBytes | undefined => {
    const entry = entries.get(`${root}data/${key}`);
    if (!entry) return undefined;
    const known = storages.get(key) ?? { ...entryBytes(source, entry, budget), bytes: entry.bytes };
    storages.set(key, known);
    return known;
  };
  return stateDict(value, storageOf, file);
}

async function checkByteOrder(
  entry: ZipEntry | undefined,
  read: (entry: ZipEntry) => Promise<Uint8Array>,
  file: string,
): Promise<void> {
  // Files of torch before 2.1 have none and are little-endian in practice.
  if (!entry) return;
  const order = entry.bytes <= 16 ? new TextDecoder().decode(await read(entry)) : '';
  if (order === 'little') return;
  throw new QuernError('torch-unsupported', `The byte order of the file is ${JSON.stringify(order)}.`, {
    file,
    offset: entry.begin,
    remedy: 'Load and save it again on a little-endian machine.',
  });
}

/** Offsets in errors are those in the file; in a deflated pickle those of its entry. */
function run(bytes: Uint8Array, entry: ZipEntry, file: string): PickleValue {
  try {
    return unpickle(bytes, { file, offset: entry.begin }).value;
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
    throw new QuernError('torch-truncated', 'The pickle ends before its STOP.', { file, offset: entry.begin });
  }
}
