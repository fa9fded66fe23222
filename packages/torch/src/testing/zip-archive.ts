// Test support: zip archives with whatever in them, honest or not.

export interface Packed {
  name: string;
  /** As they lie in the file. */
  bytes: Uint8Array;
  method?: number;
  /** What the directory claims; default: the length of `bytes`. */
  inflatedBytes?: number;
  crc?: number;
  flags?: number;
  /** Where the directory says its header is; default: where it is. */
  header?: number;
}

const record = (size: number, write: (view: DataView) => void): Buffer => {
  const bytes = Buffer.alloc(size);
  write(new DataView(bytes.buffer, bytes.byteOffset, size));
  return bytes;
};

/** `zip64`: all sizes and places stand in the wide fields. */
export function zipArchive(entries: readonly Packed[], { zip64 = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const records: Buffer[] = [];
  let at = 0;
  const add = (bytes: Uint8Array) => {
    parts.push(Buffer.from(bytes));
    at += bytes.length;
  };
  for (const { name, bytes, method = 0, inflatedBytes = bytes.length, crc = 0, flags = 0, header = at } of entries) {
    const nameBytes = Buffer.from(name);
    const wide = record(28, (view) => {
      view.setUint16(0, 1, true);
      view.setUint16(2, 24, true);
      view.setBigUint64(4, BigInt(inflatedBytes), true);
      view.setBigUint64(12, BigInt(bytes.length), true);
      view.setBigUint64(20, BigInt(header), true);
    });
    const local = record(30, (view) => {
      view.setUint32(0, 0x04034b50, true);
      view.setUint16(26, nameBytes.length, true);
    });
    const central = record(46, (view) => {
      view.setUint32(0, 0x02014b50, true);
      view.setUint16(8, flags, true);
      view.setUint16(10, method, true);
      view.setUint32(16, crc, true);
      view.setUint32(20, zip64 ? 0xffffffff : bytes.length, true);
      view.setUint32(24, zip64 ? 0xffffffff : inflatedBytes, true);
      view.setUint16(28, nameBytes.length, true);
      view.setUint16(30, zip64 ? wide.length : 0, true);
      view.setUint32(42, zip64 ? 0xffffffff : header, true);
    });
    records.push(Buffer.concat([central, nameBytes, ...(zip64 ? [wide] : [])]));
    add(Buffer.concat([local, nameBytes, bytes]));
  }
  const directory = Buffer.concat(records);
  const begin = at;
  add(directory);
  if (zip64) {
    const place = at;
    add(
      record(56, (view) => {
        view.setUint32(0, 0x06064b50, true);
        view.setBigUint64(32, BigInt(entries.length), true);
        view.setBigUint64(40, BigInt(directory.length), true);
        view.setBigUint64(48, BigInt(begin), true);
      }),
    );
    add(
      record(20, (view) => {
        view.setUint32(0, 0x07064b50, true);
        view.setBigUint64(8, BigInt(place), true);
      }),
    );
  }
  add(
    record(22, (view) => {
      view.setUint32(0, 0x06054b50, true);
      view.setUint16(10, zip64 ? 0xffff : entries.length, true);
      view.setUint32(12, zip64 ? 0xffffffff : directory.length, true);
      view.setUint32(16, zip64 ? 0xffffffff : begin, true);
    }),
  );
  return Buffer.concat(parts);
}
