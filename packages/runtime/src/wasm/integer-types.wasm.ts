// Stored types that meet activations in 8 bits (@quern/blocks src/activations). One line per type and function; the
// kernels know no types. Numbers are `enum ggml_type`.
import { dotIQ4_NL, PARTS_IQ4_NL, unpackIQ4_NL } from '@quern/blocks/src/iq4-nl/dot.wasm';
import { dotIQ4_XS, PARTS_IQ4_XS, unpackIQ4_XS } from '@quern/blocks/src/iq4-xs/dot.wasm';
import { dotMXFP4, PARTS_MXFP4, unpackMXFP4 } from '@quern/blocks/src/mxfp4/dot.wasm';
import { dotQ2_K, PARTS_Q2_K, unpackQ2_K } from '@quern/blocks/src/q2-k/dot.wasm';
import { dotQ3_K, PARTS_Q3_K, unpackQ3_K } from '@quern/blocks/src/q3-k/dot.wasm';
import { dotQ4_0, PARTS_Q4_0, unpackQ4_0 } from '@quern/blocks/src/q4-0/dot.wasm';
import { dotQ4_1, PARTS_Q4_1, unpackQ4_1 } from '@quern/blocks/src/q4-1/dot.wasm';
import { dotQ4_K, PARTS_Q4_K, unpackQ4_K } from '@quern/blocks/src/q4-k/dot.wasm';
import { dotQ5_0, PARTS_Q5_0, unpackQ5_0 } from '@quern/blocks/src/q5-0/dot.wasm';
import { dotQ5_1, PARTS_Q5_1, unpackQ5_1 } from '@quern/blocks/src/q5-1/dot.wasm';
import { dotQ5_K, PARTS_Q5_K, unpackQ5_K } from '@quern/blocks/src/q5-k/dot.wasm';
import { dotQ6_K, PARTS_Q6_K, unpackQ6_K } from '@quern/blocks/src/q6-k/dot.wasm';
import { dotQ8_0, PARTS_Q8_0, unpackQ8_0 } from '@quern/blocks/src/q8-0/dot.wasm';
import { dotTQ2_0, PARTS_TQ2_0, unpackTQ2_0 } from '@quern/blocks/src/tq2-0/dot.wasm';

/** The parts of a block, for rows side by side; 0 for a type that cannot be multiplied with rounded activations. */
export function partsOf(type: u32): usize {
  switch (type) {
    case 2: return PARTS_Q4_0;
    case 3: return PARTS_Q4_1;
    case 6: return PARTS_Q5_0;
    case 7: return PARTS_Q5_1;
    case 8: return PARTS_Q8_0;
    case 10: return PARTS_Q2_K;
    case 11: return PARTS_Q3_K;
    case 12: return PARTS_Q4_K;
    case 13: return PARTS_Q5_K;
    case 14: return PARTS_Q6_K;
    case 20: return PARTS_IQ4_NL;
    case 23: return PARTS_IQ4_XS;
    case 35: return PARTS_TQ2_0;
    case 39: return PARTS_MXFP4;
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
  return type == 3 || type == 7 || type == 10 || type == 12 || type == 13;
}

/** What the codes of a panel are larger by than meant. */
@inline
export function middleOf(type: u32): i32 {
  switch (type) {
    case 2: return 8;
    case 6: return 16;
    case 8: return 128;
    case 11: return 4;
    case 14: return 32;
    case 20: return 128;
    case 23: return 128;
    case 35: return 1;
    case 39: return 12;
    default: return 0;
  }
}

/** Whether all codes of a panel are below 128. */
@inline
export function hasSevenBits(type: u32): bool {
  return middleOf(type) < 128;
}

/** Weights that have a scale, and a minimum, of their own. */
@inline
export function subBlockOf(type: u32): usize {
  return type == 10 || type == 11 || type == 14 ? 16 : 32;
}

/** A row of `blocks` groups of 8 rows at `w` against one row of activations at `x`: eight floats at `y`. */
export function dotGroups(type: u32, w: usize, blocks: usize, x: usize, y: usize, scratch: usize): void {
  switch (type) {
    case 2: dotQ4_0(w, blocks, x, y, scratch); return;
    case 3: dotQ4_1(w, blocks, x, y, scratch); return;
    case 6: dotQ5_0(w, blocks, x, y, scratch); return;
    case 7: dotQ5_1(w, blocks, x, y, scratch); return;
    case 8: dotQ8_0(w, blocks, x, y, scratch); return;
    case 10: dotQ2_K(w, blocks, x, y, scratch); return;
    case 11: dotQ3_K(w, blocks, x, y, scratch); return;
    case 12: dotQ4_K(w, blocks, x, y, scratch); return;
    case 13: dotQ5_K(w, blocks, x, y, scratch); return;
    case 14: dotQ6_K(w, blocks, x, y, scratch); return;
    case 20: dotIQ4_NL(w, blocks, x, y, scratch); return;
    case 23: dotIQ4_XS(w, blocks, x, y, scratch); return;
    case 35: dotTQ2_0(w, blocks, x, y, scratch); return;
    case 39: dotMXFP4(w, blocks, x, y, scratch); return;
    default: unreachable();
  }
}

/** One group as a block of a panel (@quern/blocks src/activations/panel.wasm.ts). */
export function unpackGroup(type: u32, group: usize, panel: usize, scratch: usize): void {
  switch (type) {
    case 2: unpackQ4_0(group, panel, scratch); return;
    case 3: unpackQ4_1(group, panel, scratch); return;
    case 6: unpackQ5_0(group, panel, scratch); return;
    case 7: unpackQ5_1(group, panel, scratch); return;
    case 8: unpackQ8_0(group, panel, scratch); return;
    case 10: unpackQ2_K(group, panel, scratch); return;
    case 11: unpackQ3_K(group, panel, scratch); return;
    case 12: unpackQ4_K(group, panel, scratch); return;
    case 13: unpackQ5_K(group, panel, scratch); return;
    case 14: unpackQ6_K(group, panel, scratch); return;
    case 20: unpackIQ4_NL(group, panel, scratch); return;
    case 23: unpackIQ4_XS(group, panel, scratch); return;
    case 35: unpackTQ2_0(group, panel, scratch); return;
    case 39: unpackMXFP4(group, panel, scratch); return;
    default: unreachable();
  }
}
