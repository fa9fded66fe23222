// Stored types that meet activations in 8 bits (@quern/blocks src/activations). One line per type and function; the
// kernels know no types. Numbers are `enum ggml_type`.
import { dotQ4_0, PARTS_Q4_0, unpackQ4_0 } from '@quern/blocks/src/q4-0/dot.wasm';
import { dotQ4_K, PARTS_Q4_K, unpackQ4_K } from '@quern/blocks/src/q4-k/dot.wasm';
import { dotQ5_0, PARTS_Q5_0, unpackQ5_0 } from '@quern/blocks/src/q5-0/dot.wasm';
import { dotQ5_K, PARTS_Q5_K, unpackQ5_K } from '@quern/blocks/src/q5-k/dot.wasm';
import { dotQ6_K, PARTS_Q6_K, unpackQ6_K } from '@quern/blocks/src/q6-k/dot.wasm';
import { dotQ8_0, PARTS_Q8_0, unpackQ8_0 } from '@quern/blocks/src/q8-0/dot.wasm';

/** The parts of a block, for rows side by side; 0 for a type that cannot be multiplied with rounded activations. */
export function partsOf(type: u32): usize {
  switch (type) {
    case 2: return PARTS_Q4_0;
    case 6: return PARTS_Q5_0;
    case 8: return PARTS_Q8_0;
    case 12: return PARTS_Q4_K;
    case 13: return PARTS_Q5_K;
    case 14: return PARTS_Q6_K;
    default: return 0;
  }
}

/** Whether weights of this type can be multiplied with rounded activations. */
export function takesIntegers(type: u32): bool {
  return partsOf(type) != 0;
}

/** Whether blocks of this type have minima. */
@inline
export function hasMins(type: u32): bool {
  return type == 12 || type == 13;
}

/** A row of `blocks` groups of 8 rows at `w` against one row of activations at `x`: eight floats at `y`. */
export function dotGroups(type: u32, w: usize, blocks: usize, x: usize, y: usize, scratch: usize): void {
  switch (type) {
    case 2: dotQ4_0(w, blocks, x, y, scratch); return;
    case 6: dotQ5_0(w, blocks, x, y, scratch); return;
    case 8: dotQ8_0(w, blocks, x, y, scratch); return;
    case 12: dotQ4_K(w, blocks, x, y, scratch); return;
    case 13: dotQ5_K(w, blocks, x, y, scratch); return;
    case 14: dotQ6_K(w, blocks, x, y, scratch); return;
    default: unreachable();
  }
}

/** One group as integers, in the order of activations and with the scales of sub-blocks multiplied in: a panel. */
export function unpackGroup(type: u32, group: usize, panel: usize, scratch: usize): void {
  switch (type) {
    case 2: unpackQ4_0(group, panel, scratch); return;
    case 6: unpackQ5_0(group, panel, scratch); return;
    case 8: unpackQ8_0(group, panel, scratch); return;
    case 12: unpackQ4_K(group, panel, scratch); return;
    case 13: unpackQ5_K(group, panel, scratch); return;
    case 14: unpackQ6_K(group, panel, scratch); return;
    default: unreachable();
  }
}
