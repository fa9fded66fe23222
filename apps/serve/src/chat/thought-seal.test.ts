import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openThought, sealThought } from './thought-seal.ts';

const thought = fc.string({ unit: 'grapheme', minLength: 1 });

describe('thoughts and their seals', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(thought, (text) => {
        expect(openThought(text, sealThought(text), 'p')).toBe(text);
      }),
    );
  });

  it('come back out of a seal that carries them', () => {
    fc.assert(
      fc.property(thought, (text) => {
        expect(openThought('', sealThought(text, true), 'p')).toBe(text);
      }),
    );
  });

  it('are refused when they were changed', () => {
    fc.assert(
      fc.property(thought, thought, (text, other) => {
        fc.pre(text !== other);
        expect(() => openThought(other, sealThought(text), 'p')).toThrow(/^p: /);
      }),
    );
  });

  it.each([undefined, null, '', 'EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk', 'q.x'])(
    'of another maker (%s) pass unchecked',
    (seal) => {
      expect(openThought('text', seal, 'p')).toBe('text');
      expect(openThought('', seal, 'p')).toBeUndefined();
    },
  );
});
