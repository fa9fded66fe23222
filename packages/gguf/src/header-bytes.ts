// A growing little-endian buffer for the header being written.

export class HeaderBytes {
  private bytes = new Uint8Array(2 ** 16);
  private view = new DataView(this.bytes.buffer);
  /** Bytes written so far. */
  length = 0;

  private grow(more: number): number {
    const at = this.length;
    this.length += more;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.length));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.grow(1);
    this.view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.grow(2);
    this.view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.grow(4);
    this.view.setUint32(at, value, true);
  }
  f32(value: number): void {
    const at = this.grow(4);
    this.view.setFloat32(at, value, true);
  }
  f64(value: number): void {
    const at = this.grow(8);
    this.view.setFloat64(at, value, true);
  }
  u64(value: bigint | number): void {
    const at = this.grow(8);
    this.view.setBigUint64(at, BigInt(value), true);
  }
  raw(bytes: Uint8Array): void {
    const at = this.grow(bytes.length);
    this.bytes.set(bytes, at);
  }
  /** Zeros up to a multiple of `alignment`. */
  pad(alignment: number): void {
    this.grow((alignment - (this.length % alignment)) % alignment);
  }
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
