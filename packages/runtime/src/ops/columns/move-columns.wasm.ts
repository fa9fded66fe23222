// Copies part of each row of one matrix into part of a row of another: the kernel of columns and of putColumns.

/** args: source, numbers from one row to the next, target, the same, numbers of a part, target rows for a row of the source */
export function moveColumns(args: usize, begin: usize, end: usize, scratch: usize): void {
  const from: usize = load<u32>(args, 4), to: usize = load<u32>(args, 12);
  const bytes: usize = <usize>load<u32>(args, 16) * 4;
  const repeat: usize = load<u32>(args, 20);
  for (let n = begin; n < end; n++)
    memory.copy(<usize>load<u32>(args, 8) + n * to * 4, <usize>load<u32>(args) + (n / repeat) * from * 4, bytes);
}
