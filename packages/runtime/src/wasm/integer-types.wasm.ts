// Stored types that meet activations in 8 bits (@quern/blocks src/activations). One line per type and function; the
// kernels know no types. Numbers are `enum ggml_type`.
import { dotQ4_0, unpackQ4_0 } from '@quern/blocks/src/q4-0/dot.wasm';
import { dotQ4_K, unpackQ4_K } from '@quern/blocks/src/q4-k/dot.wasm';
import { dotQ5_0, unpackQ5_0 } from '@quern/blocks/src/q5-0/dot.wasm';
import { dotQ5_K, unpackQ5_K } from '@quern/blocks/src/q5-k/dot.wasm';
import { dotQ6_K, unpackQ6_K } from '@quern/blocks/src/q6-k/dot.wasm';
import { dotQ8_0, unpackQ8_0 } from '@quern/blocks/src/q8-0/dot.wasm';

/** Whether weights of this type can be multiplied with rounded activations. */
export function takesIntegers(type: u32): bool {
  return type == 2 || type == 6 || type == 8 || type == 12 || type == 13 || type == 14;
}

/** Whether blocks of this type have minima. */
@inline
export function hasMins(type: u32): bool {
  return type == 12 || type == 13;
}

/**
 * One row of `blocks` blocks against one row of activations. For every block: four 32-bit parts of Σ code · x at `out`
 * and, with minima, of Σ min · x at `out` + 64, 128 bytes from block to block; d at `units` and dmin at `units` + 16, 32
 * bytes from block to block. So four rows fill four neighbouring places.
 */
export function dotRow(type: u32, w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  switch (type) {
    case 2: dotQ4_0(w, x, sums, blocks, out, units); return;
    case 6: dotQ5_0(w, x, sums, blocks, out, units); return;
    case 8: dotQ8_0(w, x, sums, blocks, out, units); return;
    case 12: dotQ4_K(w, x, sums, blocks, out, units); return;
    case 13: dotQ5_K(w, x, sums, blocks, out, units); return;
    case 14: dotQ6_K(w, x, sums, blocks, out, units); return;
    default: unreachable();
  }
}

/**
 * One block as integers: codes in the order of activations, the scale of their sub-block multiplied in (i16), a minimum
 * per 16 weights (i16), d and dmin (f32).
 */
export function unpackBlock(type: u32, src: usize, dst: usize): void {
  switch (type) {
    case 2: unpackQ4_0(src, dst); return;
    case 6: unpackQ5_0(src, dst); return;
    case 8: unpackQ8_0(src, dst); return;
    case 12: unpackQ4_K(src, dst); return;
    case 13: unpackQ5_K(src, dst); return;
    case 14: unpackQ6_K(src, dst); return;
    default: unreachable();
  }
}
