// The vocabulary as a tree over bytes, laid out in preorder: a walk is a loop over an array, and a byte that is not allowed
// skips all tokens that begin so. Tokens without bytes (control tokens) are not in it.

/** Bytes of each token; undefined for those that are not text. */
export type TokenBytes = readonly (Uint8Array | undefined)[];

export class TokenTrie {
  readonly vocabSize: number;
  readonly tokenBytes: TokenBytes;
  /** Of each node: its byte, how deep it is (the root is 0), the node behind its subtree. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  /** Of each node: a token that ends here, or -1. */
  readonly tokens: Int32Array;
  /** Of each token: another one with the same bytes, or -1. */
  readonly twins: Int32Array;
  readonly maxDepth: number;

  constructor(tokenBytes: TokenBytes) {
    this.vocabSize = tokenBytes.length;
    this.tokenBytes = tokenBytes;
    this.twins = new Int32Array(tokenBytes.length).fill(-1);
    const sorted = sortedTokens(tokenBytes);
    const nodeCount = 1 + countNodes(sorted);
    this.bytes = new Uint8Array(nodeCount);
    this.depths = new Uint16Array(nodeCount);
    this.ends = new Int32Array(nodeCount);
    this.tokens = new Int32Array(nodeCount).fill(-1);
    this.maxDepth = this.#lay(sorted);
  }

  #lay(sorted: readonly SortedToken[]): number {
    const path = [0];
    let next = 1;
    let previous = '';
    let deepest = 0;
    for (const { token, text } of sorted) {
      const shared = commonLength(previous, text);
      for (let depth = previous.length; depth > shared; depth--) this.ends[path[depth]!] = next;
      for (let depth = shared + 1; depth <= text.length; depth++) {
        path[depth] = next;
        this.bytes[next] = text.charCodeAt(depth - 1);
        this.depths[next] = depth;
        next++;
      }
      const node = path[text.length]!;
      this.twins[token] = this.tokens[node]!;
      this.tokens[node] = token;
      deepest = Math.max(deepest, text.length);
      previous = text;
    }
    for (let depth = previous.length; depth >= 0; depth--) this.ends[path[depth]!] = next;
    return deepest;
  }
}

interface SortedToken {
  readonly token: number;
  /** A character for each byte: JavaScript then sorts them as bytes. */
  readonly text: string;
}

function sortedTokens(tokenBytes: TokenBytes): SortedToken[] {
  const tokens: SortedToken[] = [];
  tokenBytes.forEach((bytes, token) => {
    if (bytes && bytes.length > 0 && bytes.length < 2 ** 16)
      tokens.push({ token, text: String.fromCharCode(...bytes) });
  });
  return tokens.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.token - b.token));
}

function countNodes(sorted: readonly SortedToken[]): number {
  let count = 0;
  let previous = '';
  for (const { text } of sorted) {
    count += text.length - commonLength(previous, text);
    previous = text;
  }
  return count;
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}
