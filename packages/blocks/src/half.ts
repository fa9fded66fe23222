// Narrow floats as integers, one number at a time: F16 (IEEE binary16), BF16 (upper half of F32), F8_E4M3 (OCP "fn":
// no infinities, one NaN) and F8_E5M2 (upper half of F16). Widening is exact; narrowing rounds to nearest, ties to even.
// NaNs follow ggml-impl.h: F16 gets the one quiet NaN 0x7E00, BF16 keeps the upper payload and is made quiet.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

const bitsOf = (value: number): number => {
  float[0] = value;
  return bits[0];
};
const floatOf = (pattern: number): number => {
  bits[0] = pattern;
  return float[0];
};

/** F16 bits → the same value. */
export function f16ToF32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return floatOf(((half & 0x8000) << 16) | ((exponent + 112) << 23) | (mantissa << 13));
}

/** F32 → F16 bits; magnitudes from 65520 on become infinite. */
export function f32ToF16(value: number): number {
  const pattern = bitsOf(value);
  const sign = (pattern >>> 16) & 0x8000;
  const magnitude = pattern & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal in F16: at 0.5 one F32 step is 2^-24, so the addition itself rounds to a multiple of it.
    return sign | (bitsOf(floatOf(magnitude) + 0.5) - 0x3f000000);
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** Result of F32 arithmetic → F16 bits: the NaN of an invalid operation (∞ / ∞) has its sign set on x86-64. */
export const resultToF16 = (value: number): number => (Number.isNaN(value) ? 0xfe00 : f32ToF16(value));

/** BF16 bits → the same value. */
export const bf16ToF32 = (half: number): number => floatOf(half << 16);

/** F32 → BF16 bits. */
export function f32ToBf16(value: number): number {
  const pattern = bitsOf(value);
  if ((pattern & 0x7fffffff) > 0x7f800000) return (pattern >>> 16) | 64;
  return ((pattern + 0x7fff + ((pattern >>> 16) & 1)) >>> 16) & 0xffff;
}

/** F8_E4M3 bits → the same value: bias 7, largest 448, NaN only as S.1111.111. */
export function f8E4m3ToF32(byte: number): number {
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte >> 3) & 0xf;
  const mantissa = byte & 7;
  if ((byte & 0x7f) === 0x7f) return Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -9 : sign * (8 + mantissa) * 2 ** (exponent - 10);
}

/** F32 → F8_E4M3 bits; what rounds beyond 448 becomes NaN, since the format has no infinity. */
export function f32ToF8E4m3(value: number): number {
  const sign = (bitsOf(value) >>> 24) & 0x80;
  const magnitude = Math.abs(float[0]);
  if (!(magnitude <= 464)) return sign | 0x7f; // 464 lies halfway to the NaN pattern; the tie goes to 448, the even one
  return sign | nearestSmallFloat(magnitude, 3, 7);
}

/** F8_E5M2 bits → the same value. */
export const f8E5m2ToF32 = (byte: number): number => f16ToF32(byte << 8);

/** F32 → F8_E5M2 bits; what rounds beyond 57344 becomes infinite, NaN becomes S.11111.10. */
export function f32ToF8E5m2(value: number): number {
  const sign = (bitsOf(value) >>> 24) & 0x80;
  const magnitude = Math.abs(float[0]);
  if (Number.isNaN(magnitude)) return sign | 0x7e;
  return sign | (magnitude >= 61440 ? 0x7c : nearestSmallFloat(magnitude, 2, 15));
}

/** Bits of the nearest small float without regard to overflow. Exponent and mantissa carry into each other by design. */
function nearestSmallFloat(magnitude: number, mantissaBits: number, bias: number): number {
  const pattern = bitsOf(magnitude);
  const exponent = Math.max((pattern >>> 23) - 127, 1 - bias);
  // In units of the last place the number is < 2^(mantissaBits + 1), exactly representable as a double.
  const units = roundHalfEven(magnitude * 2 ** (mantissaBits - exponent));
  return units + ((exponent + bias - 1) << mantissaBits);
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
