// One walk over a part of the token tree with a machine: which tokens it allows, and where it leaves what is known.
import type { Configuration } from '../machine/configuration.ts';
import type { Machine } from '../machine/machine.ts';
import type { TokenMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';

/** Adds to `mask` the tokens below `root` that can be read from `start` on; returns the nodes where a hole goes on. */
export function walk(machine: Machine, trie: TokenTrie, start: Configuration, root: number, mask: TokenMask): number[] {
  const { bytes, depths, ends, tokens, twins } = trie;
  const classOf = machine.classes.of;
  const base = depths[root]!;
  const path: Configuration[] = [start];
  const leaving: number[] = [];
  const end = ends[root]!;
  for (let node = root + 1; node < end; ) {
    const depth = depths[node]! - base;
    const before = path[depth - 1]!;
    const byteClass = classOf[bytes[node]!]!;
    const next = before.row[byteClass] ?? machine.after(before, byteClass);
    if (next === machine.dead) {
      node = ends[node]!;
      continue;
    }
    for (let token = tokens[node]!; token >= 0; token = twins[token]!) mask.add(token);
    if (next.leaves) leaving.push(node);
    path[depth] = next;
    node = next.threads.length === 0 ? ends[node]! : node + 1;
  }
  return leaving;
}
