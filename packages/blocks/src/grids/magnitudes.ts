// What the codes of the grids stand for. The IQ2 types and IQ3_XXS are encoded as if codes meant 1, 3, 5 … (in units of
// half the scale) and decoded with values a little larger than eight or four times that, found to fit weights better.
// Source: ggml-common.h iq2xxs_grid, iq3xxs_grid.

/** IQ2_XXS, IQ2_XS, IQ2_S: 8, 25, 43. */
export const iq2Magnitude = (code: number): number => 8 + ((35 * code) >> 1);

/** IQ3_XXS: 4, 12, 20 … 52, and 62. */
export const iq3xxsMagnitude = (code: number): number => 4 + 8 * code + 2 * ((code + 1) >> 3);
