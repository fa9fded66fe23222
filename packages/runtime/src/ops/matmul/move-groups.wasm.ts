// Puts the rows of a weight matrix side by side, or back in their stored order (@quern/blocks
// src/activations/rows8.wasm.ts). Items are rows of groups.
import { moveGroup } from '@quern/blocks/src/activations/rows8.wasm';
import { partsOf } from '../../wasm/integer-types.wasm';

/** args: stored, groups, blocks per row, type, typeSize, back */
export function moveGroups(args: usize, begin: usize, end: usize, scratch: usize): void {
  const blocks: usize = load<u32>(args, 8), typeSize: usize = load<u32>(args, 16);
  const parts = partsOf(load<u32>(args, 12)), back = load<u32>(args, 20) != 0;
  const rowBytes = blocks * typeSize;
  for (let item = begin; item < end; item++) {
    const stored = <usize>load<u32>(args) + 8 * item * rowBytes, groups = <usize>load<u32>(args, 4) + 8 * item * rowBytes;
    for (let block: usize = 0; block < blocks; block++)
      moveGroup(parts, stored + block * typeSize, rowBytes, groups + 8 * block * typeSize, back);
  }
}
