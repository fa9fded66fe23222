// A cursor over the bytes of a pickle. Running past the end is an error of its own, because the legacy format does not
// say how long its pickles are: the caller may come again with more bytes.

export class EndOfBytes extends Error {}

export class ByteReader {
  at = 0;
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) throw new EndOfBytes();
    const taken = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  private advance(count: number): number {
    const at = this.at;
    this.take(count);
    return at;
  }

  u8 = (): number => this.view.getUint8(this.advance(1));
  u16 = (): number => this.view.getUint16(this.advance(2), true);
  u32 = (): number => this.view.getUint32(this.advance(4), true);
  i32 = (): number => this.view.getInt32(this.advance(4), true);
  u64 = (): bigint => this.view.getBigUint64(this.advance(8), true);
  f64BigEndian = (): number => this.view.getFloat64(this.advance(8), false);

  /** Bytes up to a line feed, which is consumed. */
  line(maxBytes: number): Uint8Array {
    const end = this.bytes.subarray(this.at, this.at + maxBytes + 1).indexOf(0x0a);
    if (end < 0) throw new EndOfBytes();
    const taken = this.take(end);
    this.at++;
    return taken;
  }
}
