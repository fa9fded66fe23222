// The choice among beams alone, over small vocabularies whose log probabilities depend on the whole text. Where there are as many
// beams as texts nothing is given up, so the search must find what trying all texts finds.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TokenLogProb } from '../sampling/log-probs.ts';
import { Random } from '../sampling/random.ts';
import { BeamSearch, type Path } from './beam-search.ts';

const textOf = (path: Path | undefined): number[] => (path ? [...textOf(path.before), path.token.token] : []);

/** Log probabilities of what follows a text: the same for the same text. */
function follow(text: readonly number[], vocabSize: number, seed: number): TokenLogProb[] {
  const random = Random.seeded(text.reduce((sum, token) => (sum * 31 + token + 1) % 2 ** 31, seed));
  const weights = Array.from({ length: vocabSize }, () => 0.05 + random.nextFloat());
  const total = weights.reduce((a, b) => a + b);
  return weights
    .map((weight, token) => ({ token, logprob: Math.log(weight / total) }))
    .sort((a, b) => b.logprob - a.logprob);
}

function allTexts(vocabSize: number, maxTokens: number, stop: number, seed: number) {
  const texts: { text: number[]; sum: number }[] = [];
  const goOn = (text: number[], sum: number): void => {
    for (const { token, logprob } of follow(text, vocabSize, seed)) {
      const next = { text: [...text, token], sum: sum + logprob };
      if (token === stop || next.text.length === maxTokens) texts.push(next);
      else goOn(next.text, next.sum);
    }
  };
  goOn([], 0);
  return texts;
}

function search(
  options: ConstructorParameters<typeof BeamSearch>[0],
  limits: { maxTokens: number; stop: number },
  more: { vocabSize: number; seed: number },
) {
  const beams = new BeamSearch(options, { stopTokens: new Set([limits.stop]), maxTokens: limits.maxTokens });
  let texts: number[][] = [[]];
  let steps = 0;
  while (texts.length > 0) {
    const offers = texts.map((text) => follow(text, more.vocabSize, more.seed).slice(0, beams.needs));
    const before = texts;
    texts = beams.advance(offers).map(({ from, token }) => [...before[from]!, token]);
    steps++;
  }
  return { replies: beams.best(options.width), steps };
}

const problem = fc.record({
  vocabSize: fc.integer({ min: 2, max: 4 }),
  maxTokens: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(2 ** 20),
  lengthPenalty: fc.constantFrom(-1, 0, 0.5, 1, 2),
  earlyStopping: fc.constantFrom(true, false, 'never' as const),
});

it('finds the best of all texts where it gives none up', () => {
  fc.assert(
    fc.property(problem, ({ vocabSize, maxTokens, seed, ...options }) => {
      const all = allTexts(vocabSize, maxTokens, 0, seed)
        .map(({ text, sum }) => ({ text, score: sum / text.length ** options.lengthPenalty }))
        .sort((a, b) => b.score - a.score);
      const width = vocabSize ** maxTokens;
      const { replies } = search({ ...options, width }, { maxTokens, stop: 0 }, { vocabSize, seed });
      expect(replies.map(({ path }) => textOf(path))).toEqual(all.map(({ text }) => text));
      for (const [i, { score }] of replies.entries()) expect(score).toBeCloseTo(all[i]!.score, 9);
    }),
  );
});

it('one beam is the greedy choice', () => {
  fc.assert(
    fc.property(problem, ({ vocabSize, maxTokens, seed, ...options }) => {
      const greedy: number[] = [];
      while (greedy.length < maxTokens && greedy.at(-1) !== 0) greedy.push(follow(greedy, vocabSize, seed)[0]!.token);
      const { replies } = search(
        { ...options, width: 1, earlyStopping: true },
        { maxTokens, stop: 0 },
        { vocabSize, seed },
      );
      expect(textOf(replies[0]!.path)).toEqual(greedy);
    }),
  );
});

it('stops no later the earlier it may, and never with a reply that is worse than what it knew', () => {
  fc.assert(
    fc.property(problem, fc.integer({ min: 1, max: 4 }), ({ vocabSize, maxTokens, seed, lengthPenalty }, width) => {
      const of = (earlyStopping: boolean | 'never') =>
        search({ width, lengthPenalty, earlyStopping }, { maxTokens, stop: 0 }, { vocabSize, seed });
      const [early, usual, late] = [of(true), of(false), of('never')];
      expect(early.steps).toBeLessThanOrEqual(usual.steps);
      expect(usual.steps).toBeLessThanOrEqual(late.steps);
      expect(early.replies[0]!.score).toBeLessThanOrEqual(late.replies[0]!.score);
    }),
  );
});
