/** The value of `decode32`: `part(k)` is the expression for weights 4k … 4k + 3. */
export const eightVectors = (part: (k: number) => string): string =>
  `array<vec4<f32>, 8>(\n    ${Array.from({ length: 8 }, (_, k) => part(k)).join(',\n    ')})`;
