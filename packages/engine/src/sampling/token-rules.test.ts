import { describe, expect, it } from 'vitest';
import { TokenRules } from './token-rules.ts';

const vocabSize = 6;
const allowedAfter = (rules: TokenRules, prompt: number[], reply: number[]): number[] => {
  const logits = new Float32Array(vocabSize);
  rules.apply(logits, { tokens: [...prompt, ...reply], generated: reply.length });
  return [...logits.keys()].filter((id) => logits[id] === 0);
};

describe('TokenRules', () => {
  it('forbids ends until the reply is long enough', () => {
    const rules = new TokenRules({ minTokens: 2 }, [0, 3], vocabSize);
    expect(allowedAfter(rules, [1], [1])).toEqual([1, 2, 4, 5]);
    expect(allowedAfter(rules, [1], [1, 1])).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('allows what is listed', () => {
    expect(allowedAfter(new TokenRules({ allowedTokens: [2, 5] }, [], vocabSize), [], [])).toEqual([2, 5]);
  });

  it('forbids the last token of a sequence behind the others, of the reply alone', () => {
    const rules = new TokenRules({ bannedSequences: [[1, 2], [4]] }, [], vocabSize);
    expect(allowedAfter(rules, [], [3, 1])).toEqual([0, 1, 3, 5]);
    expect(allowedAfter(rules, [1], [])).toEqual([0, 1, 2, 3, 5]);
    expect(allowedAfter(rules, [1], [3])).toEqual([0, 1, 2, 3, 5]);
  });

  it.each([{ minTokens: -1 }, { allowedTokens: [6] }, { bannedSequences: [[]] }, { bannedSequences: [[1, -1]] }])(
    'refuses %o',
    (options) => {
      expect(() => new TokenRules(options, [], vocabSize)).toThrow();
    },
  );
});
