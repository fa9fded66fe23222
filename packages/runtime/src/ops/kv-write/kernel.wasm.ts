// Items are tokens.
import { encodeCache } from '../../wasm/cache-types.wasm';

/** args: kv, blockTable, seq, pos, cache, kvDim, maxBlocks, blockTokens, type, blockSize, typeSize */
export function kvWrite(args: usize, begin: usize, end: usize, scratch: usize): void {
  const kvDim: usize = load<u32>(args, 20);
  const maxBlocks: usize = load<u32>(args, 24);
  const blockTokens: usize = load<u32>(args, 28);
  const rowBlocks = kvDim / <usize>load<u32>(args, 36);
  const rowBytes = rowBlocks * <usize>load<u32>(args, 40);
  for (let t = begin; t < end; t++) {
    const seq: usize = load<u32>(<usize>load<u32>(args, 8) + t * 4);
    const position: usize = load<u32>(<usize>load<u32>(args, 12) + t * 4);
    const block: usize = load<u32>(<usize>load<u32>(args, 4) + (seq * maxBlocks + position / blockTokens) * 4);
    const row = <usize>load<u32>(args, 16) + (block * blockTokens + (position % blockTokens)) * rowBytes;
    encodeCache(load<u32>(args, 32), <usize>load<u32>(args) + t * kvDim * 4, row, rowBlocks);
  }
}
