// The tokens that a panel of weights is multiplied with: addresses at the beginning of a thread's scratch, so that the
// tokens need not lie next to each other.

/** Rows of weights handled together. */
export const PANEL: usize = 8;
/** Tokens that the list holds; a panel is read once for all of them. */
export const LIST_TOKENS: usize = 1008;
export const LIST_BYTES: usize = 8 * LIST_TOKENS;

/** Token `index` of the list: where its row of x and its row of y begin. */
@inline
export function listToken(scratch: usize, index: usize, x: usize, y: usize): void {
  store<u32>(scratch + index * 8, x);
  store<u32>(scratch + index * 8, y, 4);
}
