// A range of characters as ranges of bytes: UTF-8 keeps the order, so a range is a few sequences of byte ranges
// (U+0000–U+07FF is 00–7F, then C2–DF 80–BF). Cut at the lengths, then where a lower byte does not run through all its values.
import { type CodePointSet, rangesOf } from './code-point-set.ts';

/** One byte range for each byte of the characters. */
export type ByteRanges = readonly (readonly [number, number])[];

const lengthEnds = [0x7f, 0x7ff, 0xffff, 0x10ffff];

export function utf8Ranges(set: CodePointSet): ByteRanges[] {
  const sequences: ByteRanges[] = [];
  for (const [first, last] of rangesOf(set)) cutByLength(first, last, sequences);
  return sequences;
}

function cutByLength(first: number, last: number, sequences: ByteRanges[]): void {
  let start = first;
  for (const [index, end] of lengthEnds.entries()) {
    if (start > end) continue;
    cutByBytes(start, Math.min(last, end), index + 1, sequences);
    if (last <= end) return;
    start = end + 1;
  }
}

function cutByBytes(first: number, last: number, length: number, sequences: ByteRanges[]): void {
  for (let low = 1; low < length; low++) {
    const size = 64 ** low;
    if (Math.floor(first / size) === Math.floor(last / size)) break;
    const head = first % size;
    const tail = (last + 1) % size;
    if (head === 0 && tail === 0) continue;
    const middle = head === 0 ? last + 1 - tail : first + size - head;
    cutByBytes(first, middle - 1, length, sequences);
    cutByBytes(middle, last, length, sequences);
    return;
  }
  const from = encode(first, length);
  const to = encode(last, length);
  sequences.push(from.map((byte, i) => [byte, to[i]!] as const));
}

function encode(codePoint: number, length: number): number[] {
  if (length === 1) return [codePoint];
  const bytes: number[] = [];
  let rest = codePoint;
  for (let i = 1; i < length; i++) {
    bytes.unshift(0x80 | (rest & 0x3f));
    rest >>>= 6;
  }
  return [[0xc0, 0xe0, 0xf0][length - 2]! | rest, ...bytes];
}
