/** The value of `decode32`: `part(k)` is the expression for weights 4k … 4k + 3. */
export const eightVectors = (part: (k: number) => string): string =>
  `array<vec4<f32>, 8>(\n    ${Array.from({ length: 8 }, (_, k) => part(k)).join(',\n    ')})`;

/** The codes of `Integers` (wgsl-integers.ts): `word(k)` is the expression for codes 4k … 4k + 3. */
export const eightWords = (word: (k: number) => string): string => {
  const four = (first: number) => `vec4<u32>(${[0, 1, 2, 3].map((k) => word(first + k)).join(', ')})`;
  return `array<vec4<u32>, 2>(\n    ${four(0)},\n    ${four(4)})`;
};
