// The vocabulary as a tree over bytes. Tokens without bytes (control tokens) are not in it.
import { type ByteTree, nextTreeId } from './byte-tree.ts';
import { SharedMasks } from './shared-masks.ts';

/** Bytes of each token; undefined for those that are not text. */
export type TokenBytes = readonly (Uint8Array | undefined)[];

export class TokenTrie implements ByteTree {
  readonly id = nextTreeId();
  readonly vocabSize: number;
  readonly tokenBytes: TokenBytes;
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly tokenStarts: Int32Array;
  readonly tokenIds: Int32Array;
  /** What grammars have found out that holds for every one. */
  readonly shared = new SharedMasks();

  constructor(tokenBytes: TokenBytes) {
    this.vocabSize = tokenBytes.length;
    this.tokenBytes = tokenBytes;
    this.tokenIds = sortedTokens(tokenBytes);
    const nodeCount = 1 + this.#countNodes();
    this.bytes = new Uint8Array(nodeCount);
    this.depths = new Uint16Array(nodeCount);
    this.ends = new Int32Array(nodeCount);
    this.tokenStarts = new Int32Array(nodeCount + 1);
    this.#lay();
  }

  #countNodes(): number {
    let count = 0;
    let previous: Uint8Array = new Uint8Array();
    for (const token of this.tokenIds) {
      const bytes = this.tokenBytes[token]!;
      count += bytes.length - commonLength(previous, bytes);
      previous = bytes;
    }
    return count;
  }

  #lay(): void {
    const path = [0];
    let next = 1;
    let previous: Uint8Array = new Uint8Array();
    for (const [i, token] of this.tokenIds.entries()) {
      const bytes = this.tokenBytes[token]!;
      const shared = commonLength(previous, bytes);
      for (let depth = previous.length; depth > shared; depth--) this.ends[path[depth]!] = next;
      for (let depth = shared + 1; depth <= bytes.length; depth++) {
        path[depth] = next;
        this.bytes[next] = bytes[depth - 1]!;
        this.depths[next] = depth;
        this.tokenStarts[next] = i;
        next++;
      }
      previous = bytes;
    }
    for (let depth = previous.length; depth >= 0; depth--) this.ends[path[depth]!] = next;
    this.tokenStarts[next] = this.tokenIds.length;
  }
}

/** A longer one is never what a grammar needs, and is walked in the depth. */
const maxTokenBytes = 4_096;
const keyBytes = 4;
/** Bits that are left of the 53 of a number. */
const maxTokens = 2 ** 21;

/** By their bytes. Sorted as numbers by the first of these, then where these are equal. */
function sortedTokens(tokenBytes: TokenBytes): Int32Array {
  const order = new Float64Array(tokenBytes.length);
  let count = 0;
  for (const [token, bytes] of tokenBytes.entries()) {
    if (!bytes || bytes.length === 0 || bytes.length > maxTokenBytes) continue;
    let key = 0;
    for (let i = 0; i < keyBytes; i++) key = 256 * key + (bytes[i] ?? 0);
    order[count++] = key * maxTokens + token;
  }
  const sorted = order.subarray(0, count).sort();
  const tokens = Int32Array.from(sorted, (entry) => entry % maxTokens);
  const compare = (a: number, b: number): number => compareBytes(tokenBytes[a]!, tokenBytes[b]!) || a - b;
  for (let from = 0; from < count; ) {
    const key = Math.floor(sorted[from]! / maxTokens);
    let to = from + 1;
    while (to < count && Math.floor(sorted[to]! / maxTokens) === key) to++;
    if (to - from > 1) tokens.subarray(from, to).sort(compare);
    from = to;
  }
  return tokens;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = commonLength(a, b);
  return shared < a.length && shared < b.length ? a[shared]! - b[shared]! : a.length - b.length;
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
