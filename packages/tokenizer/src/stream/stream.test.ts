import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tokenizer } from '../tokenizer.ts';
import { StopMatcher } from './stop-matcher.ts';
import { TextStream } from './text-stream.ts';

/** Token n is byte n: every way to cut characters occurs. */
const byteTokens = { decodeBytes: (ids: Iterable<number>) => Uint8Array.from(ids) } as unknown as Tokenizer;

describe('TextStream', () => {
  it('gives whole characters only, and all of them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const stream = new TextStream(byteTokens);
        const pieces = Array.from(new TextEncoder().encode(text), (byte) => stream.push(byte));
        expect(pieces.join('') + stream.flush()).toBe(text);
        for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
      }),
    );
  });

  it('gives U+FFFD for a character that never ends', () => {
    const stream = new TextStream(byteTokens);
    expect(stream.push(0xe2, 0x82)).toBe('');
    expect(stream.flush()).toBe('\uFFFD');
    expect(stream.push(0x41)).toBe('A');
  });
});

describe('StopMatcher', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c') });
  const stops = fc.array(
    letters.filter((stop) => stop !== ''),
    { maxLength: 3 },
  );

  it('stops where the whole text would, however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(letters), stops, (pieces, stopStrings) => {
        const whole = pieces.join('');
        const matches = stopStrings
          .map((stop) => ({ stop, end: whole.indexOf(stop) + stop.length, at: whole.indexOf(stop) }))
          .filter(({ at }) => at >= 0)
          .sort((a, b) => a.end - b.end || a.at - b.at);
        const matcher = new StopMatcher(stopStrings);
        let shown = '';
        let stop: string | undefined;
        for (const piece of pieces) {
          const result = matcher.push(piece);
          shown += result.text;
          stop ??= result.stop;
        }
        shown += matcher.flush();
        expect(stop).toBe(matches[0]?.stop);
        expect(shown).toBe(whole.slice(0, matches[0]?.at));
      }),
      { numRuns: 2000 },
    );
  });

  it('holds back only what may become a stop string', () => {
    const matcher = new StopMatcher(['</s>']);
    expect(matcher.push('a<')).toEqual({ text: 'a' });
    expect(matcher.push('/b')).toEqual({ text: '</b' });
    expect(matcher.push('</s>c')).toEqual({ text: '', stop: '</s>' });
    expect(matcher.push('more')).toEqual({ text: '' });
  });
});
