// Items are tokens.
import { decode } from '../../wasm/decoders.wasm';

/** args: table, ids, y, C, type, blockSize, typeSize */
export function embed(args: usize, begin: usize, end: usize, scratch: usize): void {
  const table: usize = load<u32>(args);
  const ids: usize = load<u32>(args, 4);
  const y: usize = load<u32>(args, 8);
  const cols: usize = load<u32>(args, 12);
  const blocks = cols / <usize>load<u32>(args, 20);
  const rowBytes = blocks * <usize>load<u32>(args, 24);
  for (let t = begin; t < end; t++) {
    const id: usize = load<u32>(ids + t * 4);
    decode(load<u32>(args, 16), table + id * rowBytes, y + t * cols * 4, blocks);
  }
}
