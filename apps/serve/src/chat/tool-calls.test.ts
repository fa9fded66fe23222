import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplyEvent } from './reply-reader.ts';
import { parseToolCall, ToolCallReader } from './tool-calls.ts';

/** Events with neighbouring contents joined, so that only what a client sees is compared. */
function read(pieces: readonly string[]): ReplyEvent[] {
  const reader = new ToolCallReader();
  const events = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
  return events.reduce<ReplyEvent[]>((joined, event) => {
    const last = joined.at(-1);
    if (event.type === 'content' && last?.type === 'content') last.text += event.text;
    else joined.push({ ...event });
    return joined;
  }, []);
}

const call = '<tool_call>\n{"name": "f", "arguments": {"a": [1, "x"]}}\n</tool_call>';

describe('ToolCallReader', () => {
  it('gives text and calls in order', () => {
    expect(read([`before ${call}between${call}`])).toEqual([
      { type: 'content', text: 'before ' },
      { type: 'call', index: 0, name: 'f' },
      { type: 'arguments', index: 0, text: '{"a":[1,"x"]}' },
      { type: 'content', text: 'between' },
      { type: 'call', index: 1, name: 'f' },
      { type: 'arguments', index: 1, text: '{"a":[1,"x"]}' },
    ]);
  });

  it('does not depend on where the text is cut', () => {
    const text = `a <b ${call}${call} <tool_call>{"name": 1}</tool_call> <tool_cal`;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
        expect(read(pieces)).toEqual(read([text]));
      }),
    );
  });

  it('releases text as soon as it cannot begin a call', () => {
    const reader = new ToolCallReader();
    expect(reader.push('a <tool')).toEqual([{ type: 'content', text: 'a ' }]);
    expect(reader.push('box>')).toEqual([{ type: 'content', text: '<toolbox>' }]);
  });

  it.each([
    ['no JSON', '<tool_call>nonsense</tool_call>'],
    ['no name', '<tool_call>{"arguments": {}}</tool_call>'],
    ['arguments that are no object', '<tool_call>{"name": "f", "arguments": "x"}</tool_call>'],
    ['a call that is cut off', 'x <tool_call>{"name": "f"'],
  ])('keeps %s as text', (_, text) => {
    expect(read([text])).toEqual([{ type: 'content', text }]);
  });
});

describe('parseToolCall', () => {
  it('takes missing arguments for none', () => {
    expect(parseToolCall('{"name": "now"}')).toEqual({ name: 'now', arguments: '{}' });
  });
});
