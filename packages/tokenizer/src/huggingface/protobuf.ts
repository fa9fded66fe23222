// A reader for protocol buffer messages: fields of (number, wire type, value) until the end of the bytes. Every length is
// checked against the bytes that are there before anything is made of it.
// Layout: varint key = field << 3 | wire type; 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.

import { QuernError } from '@quern/errors';

export type ProtobufField =
  | { number: number; wire: 'varint'; value: bigint }
  | { number: number; wire: 'fixed64' | 'bytes' | 'fixed32'; value: Uint8Array };

const maxVarintBytes = 10;

/** The fields of a message, in order. `start` is the message's offset in `file`, for errors: `protobuf-malformed`. */
export function* protobufFields(bytes: Uint8Array, file: string, start = 0): Generator<ProtobufField> {
  let at = 0;
  const fail = (what: string, place: number) =>
    new QuernError('protobuf-malformed', `${file} is no valid protocol buffer: ${what}.`, {
      file,
      offset: start + place,
      remedy: 'Download the file again, or remove it so that tokenizer.json is used: it may be no SentencePiece model.',
    });
  const varint = (): bigint => {
    let value = 0n;
    for (let i = 0; i < maxVarintBytes; i++) {
      const byte = bytes[at];
      if (byte === undefined) throw fail('it ends inside a number', at);
      at++;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    throw fail('a number has more than ten bytes', at);
  };
  const take = (length: bigint): Uint8Array => {
    if (length > BigInt(bytes.length - at)) {
      throw fail(`a field of ${length} bytes begins ${bytes.length - at} bytes before the end`, at);
    }
    const value = bytes.subarray(at, at + Number(length));
    at += Number(length);
    return value;
  };
  while (at < bytes.length) {
    const place = at;
    const key = varint();
    const number = Number(key >> 3n);
    if (number < 1 || number > 0x1fffffff) throw fail(`field number ${number}`, place);
    switch (key & 7n) {
      case 0n:
        yield { number, wire: 'varint', value: varint() };
        break;
      case 1n:
        yield { number, wire: 'fixed64', value: take(8n) };
        break;
      case 2n:
        yield { number, wire: 'bytes', value: take(varint()) };
        break;
      case 5n:
        yield { number, wire: 'fixed32', value: take(4n) };
        break;
      default:
        throw fail(`wire type ${key & 7n}`, place);
    }
  }
}
