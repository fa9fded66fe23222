// The directory of a zip archive: where every entry's bytes lie. Nothing but the directory and one small header per
// entry is read.
//
//   …entries…  local header (30 bytes, name, extra), data
//   directory  one record of 46 bytes, name, extra, comment per entry
//   end        22 bytes and a comment; zip64 puts a locator and a record of its own before it
//
// Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';

/** `stored` bytes lie in the file as they are. */
export type Compression = 'stored' | 'deflated';

export interface ZipEntry {
  readonly name: string;
  readonly compression: Compression;
  /** Its bytes in the file, `begin…begin + packedBytes`, proved to lie in it and to share none with another entry. */
  readonly begin: number;
  readonly packedBytes: number;
  /** Size once inflated; that of `packedBytes` for stored entries. */
  readonly bytes: number;
  /** CRC-32 of the inflated bytes as the directory has it. */
  readonly crc: number;
}

// A checkpoint has one entry per storage; the largest have some ten thousand.
const maxEntries = 1_000_000;
const maxDirectoryBytes = 128 * 2 ** 20;
const endBytes = 22;
const maxCommentBytes = 0xffff;

const signatures = { entry: 0x04034b50, record: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 };

export const isZip = async (source: Source): Promise<boolean> =>
  source.size >= 4 && dataView(await source.read(0, 4)).getUint32(0, true) === signatures.entry;

/**
 * All entries by name.
 * @throws QuernError `zip-truncated`, `zip-bad-directory`, `zip-unsupported`, `zip-overlap`, `zip-duplicate-name`
 */
export async function readDirectory(source: Source): Promise<Map<string, ZipEntry>> {
  const { name: file } = source;
  const end = await readEnd(source);
  if (end.entries > maxEntries || end.size > maxDirectoryBytes || end.entries * 46 > end.size)
    throw bad(file, `It claims ${end.entries} entries in ${end.size} bytes`, end.at);
  if (end.begin + end.size > end.at) throw bad(file, 'It does not lie in the file', end.at);
  const records = readRecords(await source.read(end.begin, end.size), end.entries, end.begin, file);

  const entries = new Map<string, ZipEntry>();
  for (const record of records) {
    const entry = await locate(source, record, end.begin);
    if (entries.has(entry.name))
      throw new QuernError('zip-duplicate-name', `Two entries are called ${JSON.stringify(entry.name)}.`, { file });
    entries.set(entry.name, entry);
  }
  refuseOverlap([...entries.values()], file);
  return entries;
}

interface Directory {
  readonly entries: number;
  readonly begin: number;
  readonly size: number;
  /** Where the end record stands. */
  readonly at: number;
}

async function readEnd(source: Source): Promise<Directory> {
  const { name: file, size } = source;
  const tailBytes = Math.min(size, endBytes + maxCommentBytes);
  const tail = dataView(await source.read(size - tailBytes, tailBytes));
  for (let at = tailBytes - endBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== signatures.end) continue;
    if (at + endBytes + tail.getUint16(at + 20, true) !== tailBytes) continue;
    const end = {
      entries: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      begin: tail.getUint32(at + 16, true),
      at: size - tailBytes + at,
    };
    if (tail.getUint16(at + 4, true) !== 0 && tail.getUint16(at + 4, true) !== 0xffff)
      throw unsupported(file, 'an archive in several volumes', end.at);
    return end.entries === 0xffff || end.size === 0xffffffff || end.begin === 0xffffffff
      ? readEnd64(source, end.at)
      : end;
  }
  throw new QuernError('zip-truncated', 'The zip archive has no directory.', {
    file,
    remedy: 'The file is incomplete: fetch it again.',
  });
}

async function readEnd64(source: Source, endAt: number): Promise<Directory> {
  const { name: file } = source;
  if (endAt < 20) throw bad(file, 'Its zip64 locator is missing', endAt);
  const locator = dataView(await source.read(endAt - 20, 20));
  if (locator.getUint32(0, true) !== signatures.locator64) throw bad(file, 'Its zip64 locator is missing', endAt);
  const at = safe(locator.getBigUint64(8, true), file, endAt);
  if (at + 56 > endAt) throw bad(file, 'Its zip64 record does not lie in the file', endAt);
  const record = dataView(await source.read(at, 56));
  if (record.getUint32(0, true) !== signatures.end64) throw bad(file, 'Its zip64 record is missing', at);
  return {
    entries: safe(record.getBigUint64(32, true), file, at),
    size: safe(record.getBigUint64(40, true), file, at),
    begin: safe(record.getBigUint64(48, true), file, at),
    at,
  };
}

/** What the directory says of an entry; where its data begins stands in its local header. */
interface DirectoryRecord extends Omit<ZipEntry, 'begin'> {
  readonly header: number;
}

function readRecords(bytes: Uint8Array, count: number, begin: number, file: string): DirectoryRecord[] {
  const view = dataView(bytes);
  const records: DirectoryRecord[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== signatures.record)
      throw bad(file, `Record ${i} of ${count} is missing`, begin + at);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length) throw bad(file, `Record ${i} of ${count} is cut short`, begin + at);
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw unsupported(file, 'an encrypted entry', begin + at);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const method = view.getUint16(at + 10, true);
    if (method !== 0 && method !== 8)
      throw unsupported(file, `compression method ${method} of ${JSON.stringify(name)}`, begin + at);
    const extra = view.buffer.slice(
      view.byteOffset + at + 46 + nameBytes,
      view.byteOffset + at + 46 + nameBytes + extraBytes,
    );
    const wide = wideFields(new DataView(extra as ArrayBuffer));
    const field = (offset: number): number => {
      const narrow = view.getUint32(at + offset, true);
      if (narrow !== 0xffffffff) return narrow;
      const value = wide.shift();
      if (value === undefined) throw bad(file, `${JSON.stringify(name)} lacks its zip64 sizes`, begin + at);
      return safe(value, file, begin + at);
    };
    // The order of the wide fields: inflated size, packed size, place of the header.
    const inflated = field(24);
    const packedBytes = field(20);
    const header = field(42);
    const compression = method === 0 ? 'stored' : 'deflated';
    if (compression === 'stored' && inflated !== packedBytes)
      throw bad(file, `${JSON.stringify(name)} is stored, yet has two sizes`, begin + at);
    records.push({ name, compression, packedBytes, bytes: inflated, crc: view.getUint32(at + 16, true), header });
    at = next;
  }
  return records;
}

/** The numbers of extra field 1: only those that did not fit in 32 bits are there. */
function wideFields(extra: DataView): bigint[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const bytes = extra.getUint16(at + 2, true);
    if (at + 4 + bytes > extra.byteLength) return [];
    if (extra.getUint16(at, true) === 1)
      return Array.from({ length: Math.min(3, bytes >> 3) }, (_, i) => extra.getBigUint64(at + 4 + 8 * i, true));
    at += 4 + bytes;
  }
  return [];
}

/** The local header says how far behind it the data begins; torch pads it so that storages are aligned. */
async function locate(source: Source, record: DirectoryRecord, directory: number): Promise<ZipEntry> {
  const { header, ...entry } = record;
  const place = { file: source.name, offset: header };
  if (header + 30 > directory) throw bad(place.file, `${JSON.stringify(entry.name)} does not lie in the file`, header);
  const local = dataView(await source.read(header, 30));
  if (local.getUint32(0, true) !== signatures.entry)
    throw bad(place.file, `${JSON.stringify(entry.name)} has no header where it should begin`, header);
  const begin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (begin + entry.packedBytes > directory)
    throw bad(place.file, `${JSON.stringify(entry.name)} does not lie in the file`, header);
  return { ...entry, begin };
}

/** Entries that share bytes make small files seem large. */
function refuseOverlap(entries: readonly ZipEntry[], file: string): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin)) {
    if (entry.begin < end && entry.packedBytes > 0)
      throw new QuernError('zip-overlap', `${JSON.stringify(entry.name)} shares bytes with another entry.`, {
        file,
        offset: entry.begin,
      });
    end = Math.max(end, entry.begin + entry.packedBytes);
  }
}

const dataView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function safe(value: bigint, file: string, offset: number): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw bad(file, `It claims ${value} bytes`, offset);
}

const bad = (file: string, why: string, offset: number): QuernError =>
  new QuernError('zip-bad-directory', `The directory of the zip archive is damaged. ${why}.`, {
    file,
    offset,
    remedy: 'Fetch the file again.',
  });

const unsupported = (file: string, what: string, offset: number): QuernError =>
  new QuernError('zip-unsupported', `The zip archive has ${what}, which torch.save never writes.`, { file, offset });
