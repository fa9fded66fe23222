// The part of a source that the header reader is looking at. It begins small and grows while the header goes on, so
// opening a file reads its header and little more. Items (one key with its value, one tensor info) are parsed from the
// window without awaiting; an item that runs out of it is parsed again from its start on a larger window.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { maxHeaderBytes } from './limits.ts';

const firstWindowBytes = 2 ** 18;

/** Internal: the item needs the bytes up to this absolute offset. */
class NeedMore {
  readonly end: number;
  constructor(end: number) {
    this.end = end;
  }
}

export class HeaderWindow {
  readonly source: Source;
  private bytes = new Uint8Array(0);
  private view = new DataView(this.bytes.buffer);
  /** Absolute offset of the window's first byte. */
  private base = 0;
  /** Place of the next byte in the window. */
  private at = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** Absolute offset of the next byte. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Bytes from here to the end of the file. */
  get remaining(): number {
    return this.source.size - this.offset;
  }

  /** Parses one item, reading more of the source as needed. `parse` must have no effects before it returns. */
  async item<T>(parse: (window: HeaderWindow) => T): Promise<T> {
    const start = this.offset;
    for (;;) {
      try {
        return parse(this);
      } catch (error) {
        if (!(error instanceof NeedMore)) throw error;
        await this.refill(start, error.end);
      }
    }
  }

  private async refill(start: number, end: number): Promise<void> {
    // Twice what the item is known to need: a long array of strings is parsed again only a few times.
    const wanted = Math.max(2 * (end - start), firstWindowBytes);
    const bytes = new Uint8Array(Math.min(wanted, this.source.size - start));
    // What is here already is not asked for again: it may lie on another machine.
    const held = this.bytes.subarray(start - this.base);
    bytes.set(held);
    await this.source.readInto(bytes.subarray(held.length), start + held.length);
    this.bytes = bytes;
    this.view = new DataView(this.bytes.buffer);
    this.base = start;
    this.at = 0;
  }

  /** Proves that `length` more bytes exist and are in the window; returns their place and moves on. */
  private take(length: number): number {
    const at = this.at;
    if (at + length > this.bytes.length) {
      if (length > this.remaining) {
        throw new QuernError('gguf-truncated', `The file ends inside its header: ${length} more bytes expected.`, {
          file: this.source.name,
          offset: this.offset,
          remedy: 'The file is incomplete: fetch it again.',
        });
      }
      const end = this.offset + length;
      if (end > maxHeaderBytes) {
        throw new QuernError('gguf-header-too-large', `The header goes beyond ${maxHeaderBytes} bytes.`, {
          file: this.source.name,
          offset: this.offset,
        });
      }
      throw new NeedMore(end);
    }
    this.at = at + length;
    return at;
  }

  /** Makes sure early that `length` bytes are here, so that a long array is not begun in vain. */
  ensure(length: number): void {
    const start = this.take(length);
    this.at = start;
  }

  /** The same of `count` strings, each behind its length; up to one that is longer than `most`. */
  ensureStrings(count: number, most: number): void {
    const start = this.at;
    for (let i = 0; i < count; i++) {
      const length = this.count();
      if (length > most) break;
      this.take(length);
    }
    this.at = start;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }
  i8(): number {
    return this.view.getInt8(this.take(1));
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  i16(): number {
    return this.view.getInt16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }
  f32(): number {
    return this.view.getFloat32(this.take(4), true);
  }
  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }
  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }
  /** A u64 that counts or measures something: rounded above 2^53, where every limit refuses it anyway. */
  count(): number {
    const at = this.take(8);
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
  }
  /** A view, valid until the next item. */
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
}
