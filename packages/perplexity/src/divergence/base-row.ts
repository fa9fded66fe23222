// A row of log probabilities in 16 bits each, as llama-perplexity --kl-divergence-base stores it (tools/perplexity
// log_softmax), little-endian:
//   f32 scale | f32 minLogProb | u16 q[vocab], one more when vocab is odd          log p = scale·q + minLogProb
// What is less likely than the top by more than a factor e^16 is stored as that limit.

/** Natural logarithm of the range that is kept. */
const range = 16;
const steps = 65_535;
const headBytes = 8;

export const baseRowBytes = (vocabSize: number): number => headBytes + 4 * Math.ceil(vocabSize / 2);

/** Single-precision steps in llama.cpp's order, so that the same logits give the same bytes. */
export function encodeBaseRow(logits: Float32Array, into: Uint8Array): void {
  const { fround } = Math;
  let max = logits[0]!;
  let min = logits[0]!;
  for (const logit of logits) {
    if (logit > max) max = logit;
    if (logit < min) min = logit;
  }
  min = Math.max(min, fround(max - range));
  let sum = 0;
  for (const logit of logits) sum += fround(Math.exp(fround(logit - max)));
  const scale = fround(fround(max - min) / steps);
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  view.setFloat32(0, scale, true);
  view.setFloat32(4, fround(fround(min - max) - fround(Math.log(sum))), true);
  const inverse = fround(1 / scale);
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    const code = scale > 0 && logit > min ? roundToEven(fround(inverse * fround(logit - min))) : 0;
    view.setUint16(headBytes + 2 * i, Math.min(code, steps), true);
  }
}

/** Adding 1.5 · 2^23 leaves a single no bits for a fraction. */
const roundToEven = (value: number): number => Math.fround(value + 12_582_912) - 12_582_912;

/** @returns false when scale or minimum are no numbers that `encodeBaseRow` writes */
export function decodeBaseRow(bytes: Uint8Array, into: Float32Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scale = view.getFloat32(0, true);
  const least = view.getFloat32(4, true);
  if (!(scale >= 0 && scale <= 1 && Number.isFinite(least))) return false;
  for (let i = 0; i < into.length; i++) into[i] = Math.fround(scale * view.getUint16(headBytes + 2 * i, true)) + least;
  return true;
}
