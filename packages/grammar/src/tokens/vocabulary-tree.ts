// A vocabulary laid out as a tree over bytes, as plain data in shared memory: 128,000 tokens take a fifth of a second, which is
// the time of a thread that nobody waits for.
import { sharedBlock } from '../shared-block.ts';
import type { ByteTree } from './byte-tree.ts';

/** Bytes of each token; undefined for those that are not text. */
export type TokenBytes = readonly (Uint8Array | undefined)[];

/** Tokens without bytes (control tokens) and very long ones are not in the tree. */
export interface VocabularyTree extends Omit<ByteTree, 'id'> {
  /** The bytes of all tokens, one behind another, and where each begins. */
  readonly text: Uint8Array;
  readonly textStarts: Int32Array;
}

export function vocabularyTree(tokenBytes: TokenBytes): VocabularyTree {
  const texts = textsOf(tokenBytes);
  const tokenIds = sortedTokens(texts);
  const nodes = 1 + countNodes(texts, tokenIds);
  const tree = {
    ...texts,
    tokenIds,
    bytes: new Uint8Array(sharedBlock(nodes)),
    depths: new Uint16Array(sharedBlock(2 * nodes)),
    ends: new Int32Array(sharedBlock(4 * nodes)),
    tokenStarts: new Int32Array(sharedBlock(4 * (nodes + 1))),
  };
  lay(tree);
  return tree;
}

type Texts = Pick<VocabularyTree, 'text' | 'textStarts'>;

function textsOf(tokenBytes: TokenBytes): Texts {
  const textStarts = new Int32Array(sharedBlock(4 * (tokenBytes.length + 1)));
  for (const [token, bytes] of tokenBytes.entries()) textStarts[token + 1] = textStarts[token]! + (bytes?.length ?? 0);
  const text = new Uint8Array(sharedBlock(textStarts[tokenBytes.length]!));
  for (const [token, bytes] of tokenBytes.entries()) if (bytes) text.set(bytes, textStarts[token]);
  return { text, textStarts };
}

/** What neighbours in the order share is one path. */
function countNodes(texts: Texts, tokenIds: Int32Array): number {
  let count = 0;
  for (const [i, token] of tokenIds.entries())
    count += lengthOf(texts, token) - (i === 0 ? 0 : commonLength(texts, tokenIds[i - 1]!, token));
  return count;
}

function lay(tree: VocabularyTree): void {
  const { text, textStarts, bytes, depths, ends, tokenStarts, tokenIds } = tree;
  const path = [0];
  let next = 1;
  let previousLength = 0;
  for (const [i, token] of tokenIds.entries()) {
    const start = textStarts[token]!;
    const length = lengthOf(tree, token);
    const shared = i === 0 ? 0 : commonLength(tree, tokenIds[i - 1]!, token);
    for (let depth = previousLength; depth > shared; depth--) ends[path[depth]!] = next;
    for (let depth = shared + 1; depth <= length; depth++) {
      path[depth] = next;
      bytes[next] = text[start + depth - 1]!;
      depths[next] = depth;
      tokenStarts[next] = i;
      next++;
    }
    previousLength = length;
  }
  for (let depth = previousLength; depth >= 0; depth--) ends[path[depth]!] = next;
  tokenStarts[next] = tokenIds.length;
}

/** A longer one is never what a grammar needs, and is walked in the depth. */
const maxTokenBytes = 4_096;
const keyBytes = 4;
/** Bits that are left of the 53 of a number. */
const maxTokens = 2 ** 21;

/** By their bytes. Sorted as numbers by the first of these, then where these are equal. */
function sortedTokens(texts: Texts): Int32Array {
  const { text, textStarts } = texts;
  const order = new Float64Array(textStarts.length - 1);
  let count = 0;
  for (let token = 0; token < order.length; token++) {
    const length = lengthOf(texts, token);
    if (length === 0 || length > maxTokenBytes) continue;
    let key = 0;
    for (let i = 0; i < keyBytes; i++) key = 256 * key + (i < length ? text[textStarts[token]! + i]! : 0);
    order[count++] = key * maxTokens + token;
  }
  const sorted = order.subarray(0, count).sort();
  const tokens = new Int32Array(sharedBlock(4 * count));
  for (let i = 0; i < count; i++) tokens[i] = sorted[i]! % maxTokens;
  const compare = (a: number, b: number): number => compareTexts(texts, a, b) || a - b;
  for (let from = 0; from < count; ) {
    const key = Math.floor(sorted[from]! / maxTokens);
    let to = from + 1;
    while (to < count && Math.floor(sorted[to]! / maxTokens) === key) to++;
    if (to - from > 1) tokens.subarray(from, to).sort(compare);
    from = to;
  }
  return tokens;
}

const lengthOf = ({ textStarts }: Texts, token: number): number => textStarts[token + 1]! - textStarts[token]!;

function compareTexts(texts: Texts, a: number, b: number): number {
  const { text, textStarts } = texts;
  const shared = commonLength(texts, a, b);
  const [lengthA, lengthB] = [lengthOf(texts, a), lengthOf(texts, b)];
  if (shared === lengthA || shared === lengthB) return lengthA - lengthB;
  return text[textStarts[a]! + shared]! - text[textStarts[b]! + shared]!;
}

function commonLength(texts: Texts, a: number, b: number): number {
  const { text, textStarts } = texts;
  const [startA, startB] = [textStarts[a]!, textStarts[b]!];
  const most = Math.min(lengthOf(texts, a), lengthOf(texts, b));
  let length = 0;
  while (length < most && text[startA + length] === text[startB + length]) length++;
  return length;
}
