// The merges of a vocabulary that has ranks only: GGUF and tokenizer.json want a list of pairs. Two ways are in use, and
// llama.cpp's converter has both (QwenModel.bpe in conversion/qwen.py; MistralVocab in gguf-py/gguf/vocab.py).
import { QuernError } from '@quern/errors';
import type { RankList } from './rank-list.ts';

export type Merge = readonly [left: string, right: string];

/**
 * One pair a token: the two parts that merging with lower ranks alone leaves of its bytes. Tokens of which more parts are
 * left can never come up, and get none.
 * @throws QuernError `tokenizer-ranks-too-long`
 */
export function mergesByReplay(ranks: RankList, file: string): Merge[] {
  checkWork(ranks, file);
  const merges: Merge[] = [];
  for (const [text, rank] of ranks) {
    if (text.length === 1) continue;
    const starts = partsBelow(text, rank, ranks);
    if (starts.length === 2) merges.push([text.slice(0, starts[1]), text.slice(starts[1])]);
  }
  return merges;
}

/**
 * All pairs that make a token, for all tokens by rank, those of lower ranks first.
 * @throws QuernError `tokenizer-ranks-too-long`, `tokenizer-merge-unknown`
 */
export function mergesOfAllPairs(ranks: RankList, file: string): Merge[] {
  checkWork(ranks, file);
  const merges: Merge[] = [];
  for (const [text, rank] of ranks) {
    if (text.length === 1) continue;
    const pairs: { merge: Merge; left: number; right: number }[] = [];
    for (let cut = 1; cut < text.length; cut++) {
      const merge: Merge = [text.slice(0, cut), text.slice(cut)];
      const [left, right] = [ranks.get(merge[0]), ranks.get(merge[1])];
      if (left !== undefined && right !== undefined) pairs.push({ merge, left, right });
    }
    if (pairs.length === 0) {
      throw new QuernError(
        'tokenizer-merge-unknown',
        `No two tokens make the token ${JSON.stringify(text)} of rank ${rank}.`,
        { file, remedy: `Download ${file} again: a part of its vocabulary is missing.` },
      );
    }
    pairs.sort((a, b) => a.left - b.left || a.right - b.right);
    for (const { merge } of pairs) merges.push(merge);
  }
  return merges;
}

/** Where the parts of a token begin after all merges of ranks below its own, the lowest first, the leftmost of equals. */
function partsBelow(text: string, limit: number, ranks: RankList): number[] {
  const starts = Array.from(text, (_, index) => index);
  const rankAt = (part: number): number =>
    part + 1 < starts.length ? (ranks.get(text.slice(starts[part], starts[part + 2])) ?? limit) : limit;
  const pairs = starts.map((_, part) => rankAt(part));
  for (;;) {
    let lowest = 0;
    for (let part = 1; part < pairs.length; part++)
      if ((pairs[part] as number) < (pairs[lowest] as number)) lowest = part;
    if ((pairs[lowest] as number) >= limit) return starts;
    starts.splice(lowest + 1, 1);
    pairs.splice(lowest + 1, 1);
    pairs[lowest] = rankAt(lowest);
    if (lowest > 0) pairs[lowest - 1] = rankAt(lowest - 1);
  }
}

/** Replaying a token costs the square of its length; a real list needs 2^25. */
const maxWork = 2 ** 30;

function checkWork(ranks: RankList, file: string): void {
  let work = 0;
  for (const text of ranks.keys()) {
    work += text.length ** 2;
    if (work <= maxWork) continue;
    throw new QuernError(
      'tokenizer-ranks-too-long',
      `The tokens are too long to find their merges; one has ${text.length} bytes.`,
      { file, remedy: "Put the model's tokenizer.json beside it, which lists the merges." },
    );
  }
}
