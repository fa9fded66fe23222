import type { ReplyEvent } from '@quern/chat';
import { describe, expect, it } from 'vitest';
import { BlankTexts } from './blank-texts.ts';

const text = (content: string): ReplyEvent => ({ type: 'content', text: content });
const call = (index: number): ReplyEvent => ({ type: 'call', index, name: 'f' });
const thought: ReplyEvent = { type: 'reasoning', text: 'hm' };

/** Each event alone, as a stream brings them. */
const filtered = (...parts: ReplyEvent[]): ReplyEvent[] => {
  const blanks = new BlankTexts();
  return parts.flatMap((part) => blanks.filter([part]));
};

describe('BlankTexts', () => {
  it('drops white space around calls', () => {
    expect(filtered(thought, text('\n'), text('\n '), call(0), text('\n'), call(1), text('\n'))).toEqual([
      thought,
      call(0),
      call(1),
    ]);
  });

  it('keeps it before, inside and behind other text', () => {
    expect(filtered(text('\n'), text(' a'), text('\n'), text('\n'), text('b '), call(0), text(' '), text('c'))).toEqual(
      [text('\n a'), text('\n'), text('\n'), text('b '), call(0), text(' c')],
    );
  });
});
