// Items are tokens.

/** args: kv, blockTable, seq, pos, cache, kvDim, maxBlocks, blockTokens */
export function kvWrite(args: usize, begin: usize, end: usize, scratch: usize): void {
  const bytes: usize = load<u32>(args, 20) * 4;
  const maxBlocks: usize = load<u32>(args, 24);
  const blockTokens: usize = load<u32>(args, 28);
  for (let t = begin; t < end; t++) {
    const seq: usize = load<u32>(<usize>load<u32>(args, 8) + t * 4);
    const position: usize = load<u32>(<usize>load<u32>(args, 12) + t * 4);
    const block: usize = load<u32>(<usize>load<u32>(args, 4) + (seq * maxBlocks + position / blockTokens) * 4);
    const cell = block * blockTokens + (position % blockTokens);
    memory.copy(<usize>load<u32>(args, 16) + cell * bytes, <usize>load<u32>(args) + t * bytes, bytes);
  }
}
