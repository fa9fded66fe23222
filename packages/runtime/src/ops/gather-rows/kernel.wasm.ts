// Items are rows.

/** args: x, rows, y, C */
export function gatherRows(args: usize, begin: usize, end: usize, scratch: usize): void {
  const bytes: usize = load<u32>(args, 12) * 4;
  for (let n = begin; n < end; n++) {
    const row: usize = load<u32>(<usize>load<u32>(args, 4) + n * 4);
    memory.copy(<usize>load<u32>(args, 8) + n * bytes, <usize>load<u32>(args) + row * bytes, bytes);
  }
}
