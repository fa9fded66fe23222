// Texts as a tree over bytes, laid out in preorder: a walk is a loop over an array, and a byte that is not allowed skips all
// that begins so. The root is node 0 and has no byte.

export interface ByteTree {
  /** No other tree has it. */
  readonly id: number;
  /** Of each node: its byte, how deep it is (the root is 0), the node behind its subtree. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  /** The tokens that end at node n: `tokenIds` from `tokenStarts[n]` to `tokenStarts[n + 1]`. */
  readonly tokenStarts: Int32Array;
  readonly tokenIds: Int32Array;
}

let lastId = 0;
export const nextTreeId = (): number => ++lastId;

interface Branch {
  readonly tokens: number[];
  readonly next: Map<number, Branch>;
}
const branch = (): Branch => ({ tokens: [], next: new Map() });

/** What lies below several nodes of a tree, as one tree: equal ends of different texts are walked once. */
export function joinedBelow(tree: ByteTree, roots: readonly number[]): ByteTree {
  const all = branch();
  let nodes = 1;
  for (const root of roots) {
    const path: Branch[] = [all];
    for (let node = root + 1; node < tree.ends[root]!; node++) {
      const depth = tree.depths[node]! - tree.depths[root]!;
      const above = path[depth - 1]!;
      let at = above.next.get(tree.bytes[node]!);
      if (!at) {
        at = branch();
        above.next.set(tree.bytes[node]!, at);
        nodes++;
      }
      for (let i = tree.tokenStarts[node]!; i < tree.tokenStarts[node + 1]!; i++) at.tokens.push(tree.tokenIds[i]!);
      path[depth] = at;
    }
  }
  return laidOut(all, nodes);
}

function laidOut(root: Branch, nodes: number): ByteTree {
  const bytes = new Uint8Array(nodes);
  const depths = new Uint16Array(nodes);
  const ends = new Int32Array(nodes);
  const tokenStarts = new Int32Array(nodes + 1);
  const tokenIds: number[] = [];
  let next = 0;
  // Not deeper than the longest token.
  const lay = ({ tokens, next: below }: Branch, byte: number, depth: number): void => {
    const node = next++;
    bytes[node] = byte;
    depths[node] = depth;
    tokenStarts[node] = tokenIds.length;
    for (const token of tokens) tokenIds.push(token);
    for (const [following, inner] of below) lay(inner, following, depth + 1);
    ends[node] = next;
  };
  lay(root, 0, 0);
  tokenStarts[nodes] = tokenIds.length;
  return { id: nextTreeId(), bytes, depths, ends, tokenStarts, tokenIds: Int32Array.from(tokenIds) };
}
