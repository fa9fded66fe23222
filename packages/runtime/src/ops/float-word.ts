const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** The bits of an f32 word for a kernel. */
export function floatWord(value: number): number {
  word[0] = value;
  return bits[0]!;
}
