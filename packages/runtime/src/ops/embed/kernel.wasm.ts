// Items are tokens.
import { moveBlock } from '@quern/blocks/src/activations/rows8.wasm';
import { decode } from '../../wasm/decoders.wasm';
import { partsOf } from '../../wasm/integer-types.wasm';

/** args: table, ids, y, C, type, blockSize, typeSize; then 1 and the row that id 0 is, where rows lie side by side */
export function embed(args: usize, begin: usize, end: usize, scratch: usize): void {
  const table: usize = load<u32>(args);
  const ids: usize = load<u32>(args, 4);
  const y: usize = load<u32>(args, 8);
  const cols: usize = load<u32>(args, 12);
  const blocks = cols / <usize>load<u32>(args, 20);
  const rowBytes = blocks * <usize>load<u32>(args, 24);
  for (let t = begin; t < end; t++) {
    const id: usize = load<u32>(ids + t * 4);
    if (load<u32>(args, 28)) {
      embedRow(args, table, id + <usize>load<u32>(args, 32), y + t * cols * 4, scratch);
      continue;
    }
    decode(load<u32>(args, 16), table + id * rowBytes, y + t * cols * 4, blocks);
  }
}

/** A row that lies beside seven others, block by block. */
function embedRow(args: usize, table: usize, row: usize, y: usize, scratch: usize): void {
  const type = load<u32>(args, 16), cols: usize = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 20), typeSize: usize = load<u32>(args, 24);
  const groupBytes = typeSize * 8, parts = partsOf(type);
  let group = table + (row / 8) * (cols / blockSize) * groupBytes;
  for (const end = y + 4 * cols; y < end; y += 4 * blockSize) {
    moveBlock(parts, group, row % 8, scratch);
    decode(type, scratch, y, 1);
    group += groupBytes;
  }
}
