/** Lines 0 … count − 1: WGSL has no loop over names. */
export const each = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
