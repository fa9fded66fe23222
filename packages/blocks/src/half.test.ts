// The scalar conversions against the definition of the formats: exact widening, nearest narrowing, ties to even.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bf16ToF32,
  f8E4m3ToF32,
  f8E5m2ToF32,
  f16ToF32,
  f32ToBf16,
  f32ToF8E4m3,
  f32ToF8E5m2,
  f32ToF16,
} from './half.ts';

interface Format {
  name: string;
  widen(bits: number): number;
  narrow(value: number): number;
  exponentBits: number;
  mantissaBits: number;
  /** Bits of the largest finite number. */
  largest: number;
  /** What larger magnitudes become. */
  beyond: number;
}

const formats: Format[] = [
  {
    name: 'F16',
    widen: f16ToF32,
    narrow: f32ToF16,
    exponentBits: 5,
    mantissaBits: 10,
    largest: 0x7bff,
    beyond: Infinity,
  },
  {
    name: 'BF16',
    widen: bf16ToF32,
    narrow: f32ToBf16,
    exponentBits: 8,
    mantissaBits: 7,
    largest: 0x7f7f,
    beyond: Infinity,
  },
  {
    name: 'F8_E4M3',
    widen: f8E4m3ToF32,
    narrow: f32ToF8E4m3,
    exponentBits: 4,
    mantissaBits: 3,
    largest: 0x7e,
    beyond: NaN,
  },
  {
    name: 'F8_E5M2',
    widen: f8E5m2ToF32,
    narrow: f32ToF8E5m2,
    exponentBits: 5,
    mantissaBits: 2,
    largest: 0x7b,
    beyond: Infinity,
  },
];

/** Sign, exponent, mantissa as IEEE 754 defines them, without its special values. */
function define({ exponentBits, mantissaBits }: Format, bits: number): number {
  const mantissa = bits & (2 ** mantissaBits - 1);
  const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const sign = bits >> (mantissaBits + exponentBits) ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const fraction = mantissa / 2 ** mantissaBits;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

describe.each(formats.map((format) => [format.name, format] as const))('%s', (_, format) => {
  const signBit = 2 ** (format.exponentBits + format.mantissaBits);

  test('every pattern widens to its value and comes back', () => {
    for (let magnitude = 0; magnitude < signBit; magnitude++) {
      for (const bits of [magnitude, magnitude + signBit]) {
        const value = format.widen(bits);
        if (magnitude <= format.largest) {
          expect(value).toBe(define(format, bits));
          expect(format.narrow(value)).toBe(bits);
        } else if (magnitude === format.largest + 1 && format.beyond === Infinity) {
          expect(value).toBe(bits === magnitude ? Infinity : -Infinity);
          expect(format.narrow(value)).toBe(bits);
        } else {
          expect(value).toBeNaN();
          expect(format.widen(format.narrow(value))).toBeNaN();
        }
      }
    }
  });

  test('floats narrow to the nearest, ties to even', () => {
    const top = define(format, format.largest);
    const step = top - define(format, format.largest - 1);
    // Uniform in bit patterns up to a little beyond the largest, so that every exponent occurs.
    const magnitudes = fc.oneof(
      fc.integer({ min: 0, max: 0x7f7fffff }).map((bits) => new Float32Array(new Uint32Array([bits]).buffer)[0]),
      fc.tuple(fc.integer({ min: 0, max: format.largest }), fc.constantFrom(0.25, 0.5, 0.75)).map(([bits, part]) => {
        const low = define(format, bits);
        return Math.fround(low + (bits === format.largest ? step : define(format, bits + 1) - low) * part);
      }),
    );
    fc.assert(
      fc.property(magnitudes, fc.boolean(), (magnitude, negative) => {
        const bits = format.narrow(negative ? -magnitude : magnitude);
        expect(bits >= signBit).toBe(negative);
        const pattern = bits % signBit;
        const tieUp = format.largest % 2 === 1; // the halfway point above the largest goes to the even neighbour
        if (magnitude > top + step / 2 || (magnitude === top + step / 2 && tieUp)) {
          expect(Math.abs(format.widen(bits))).toBe(format.beyond);
          return;
        }
        expect(pattern).toBeLessThanOrEqual(format.largest);
        const error = Math.abs(define(format, pattern) - magnitude);
        for (const neighbour of [pattern - 1, pattern + 1]) {
          if (neighbour < 0 || neighbour > format.largest) continue;
          const other = Math.abs(define(format, neighbour) - magnitude);
          expect(error < other || (error === other && pattern % 2 === 0)).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('NaN stays NaN', () => {
    expect(format.widen(format.narrow(Number.NaN))).toBeNaN();
  });
});
