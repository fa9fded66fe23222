// One walk over a part of a tree of texts with a machine: which tokens it allows, and where it leaves what is known.
import type { Configuration } from '../machine/configuration.ts';
import type { Machine } from '../machine/machine.ts';
import type { ByteTree } from './byte-tree.ts';
import type { TokenMask } from './token-mask.ts';

/** Adds to `mask` the tokens below `root` that can be read from `start` on; returns the nodes where a hole goes on. */
export function walk(machine: Machine, tree: ByteTree, start: Configuration, root: number, mask: TokenMask): number[] {
  const { bytes, depths, ends, tokenStarts, tokenIds } = tree;
  const classOf = machine.classes.of;
  const base = depths[root]!;
  const path: Configuration[] = [start];
  const leaving: number[] = [];
  const end = ends[root]!;
  for (let node = root + 1; node < end; ) {
    const depth = depths[node]! - base;
    const before = path[depth - 1]!;
    const byteClass = classOf[bytes[node]!]!;
    const next = before.row?.[byteClass] ?? machine.after(before, byteClass);
    if (next === machine.dead) {
      node = ends[node]!;
      continue;
    }
    const last = tokenStarts[node + 1]!;
    for (let i = tokenStarts[node]!; i < last; i++) mask.add(tokenIds[i]!);
    if (next.leaves) leaving.push(node);
    path[depth] = next;
    node = next.threads.length === 0 ? ends[node]! : node + 1;
  }
  return leaving;
}
