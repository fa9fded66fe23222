import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { protobufFields } from './protobuf.ts';

const fields = (...bytes: number[]) => [...protobufFields(Uint8Array.from(bytes), 'tokenizer.model')];

describe('protobufFields', () => {
  // The examples of the encoding guide of Protocol Buffers.
  it('reads the wire types', () => {
    expect(fields(0x08, 0x96, 0x01)).toEqual([{ number: 1, wire: 'varint', value: 150n }]);
    expect(fields(0x12, 0x02, 0x68, 0x69)).toEqual([{ number: 2, wire: 'bytes', value: Uint8Array.of(0x68, 0x69) }]);
    expect(fields(0x1d, 1, 2, 3, 4)).toEqual([{ number: 3, wire: 'fixed32', value: Uint8Array.of(1, 2, 3, 4) }]);
    expect(fields(0x21, 1, 2, 3, 4, 5, 6, 7, 8)).toMatchObject([{ number: 4, wire: 'fixed64' }]);
    expect(fields()).toEqual([]);
  });

  it.each([
    ['cut off in a key', [0x88]],
    ['cut off in a number', [0x08, 0x96]],
    ['a number without end', [0x08, ...new Array(11).fill(0xff)]],
    ['bytes that are not there', [0x12, 0x03, 0x68, 0x69]],
    ['an enormous length', [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['four bytes cut off', [0x1d, 1, 2]],
    ['a group', [0x0b]],
    ['field number 0', [0x00, 0x01]],
  ])('refuses %s', (_, bytes) => {
    expect(() => fields(...bytes)).toThrow(
      expect.objectContaining({ code: 'protobuf-malformed', offset: expect.any(Number) }),
    );
  });

  it('ends on any bytes, with fields inside them or with its error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          let total = 0;
          for (const field of protobufFields(bytes, 'x')) total += field.wire === 'varint' ? 1 : field.value.length;
          expect(total).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'protobuf-malformed' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
