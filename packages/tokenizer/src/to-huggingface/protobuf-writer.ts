// A writer for protocol buffer messages, the counterpart of ../huggingface/protobuf.ts.
// Layout: varint key = field << 3 | wire type; 0 varint, 2 length and bytes, 5 four bytes.

export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];

  /** Negative numbers take ten bytes, as two's complement of 64 bits. */
  integer(field: number, value: number): this {
    return this.#key(field, 0).#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#key(field, 5).#add(bytes);
  }

  string(field: number, text: string): this {
    return this.#bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: ProtobufWriter): this {
    return this.#bytes(field, message.finish());
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #bytes(field: number, bytes: Uint8Array): this {
    return this.#key(field, 2).#varint(BigInt(bytes.length)).#add(bytes);
  }

  #key(field: number, wire: number): this {
    return this.#varint(BigInt((field << 3) | wire));
  }

  #varint(value: bigint): this {
    const bytes: number[] = [];
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    return this.#add(Uint8Array.of(...bytes, Number(rest)));
  }

  #add(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }
}
