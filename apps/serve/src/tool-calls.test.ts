import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OutputPart, parseToolCall, ToolCallSplitter } from './tool-calls.ts';

/** Parts with neighbouring texts joined, so that only what a client sees is compared. */
function split(pieces: readonly string[]): OutputPart[] {
  const splitter = new ToolCallSplitter();
  const parts = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()];
  return parts.reduce<OutputPart[]>((joined, part) => {
    const last = joined.at(-1);
    if ('text' in part && last && 'text' in last) last.text += part.text;
    else joined.push({ ...part });
    return joined;
  }, []);
}

const call = '<tool_call>\n{"name": "f", "arguments": {"a": [1, "x"]}}\n</tool_call>';

describe('ToolCallSplitter', () => {
  it('gives text and calls in order', () => {
    expect(split([`before ${call}between${call}`])).toEqual([
      { text: 'before ' },
      { call: { name: 'f', arguments: '{"a":[1,"x"]}' } },
      { text: 'between' },
      { call: { name: 'f', arguments: '{"a":[1,"x"]}' } },
    ]);
  });

  it('does not depend on where the text is cut', () => {
    const text = `a <b ${call}${call} <tool_call>{"name": 1}</tool_call> <tool_cal`;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
        expect(split(pieces)).toEqual(split([text]));
      }),
    );
  });

  it('releases text as soon as it cannot begin a call', () => {
    const splitter = new ToolCallSplitter();
    expect(splitter.push('a <tool')).toEqual([{ text: 'a ' }]);
    expect(splitter.push('box>')).toEqual([{ text: '<toolbox>' }]);
  });

  it.each([
    ['no JSON', '<tool_call>nonsense</tool_call>'],
    ['no name', '<tool_call>{"arguments": {}}</tool_call>'],
    ['arguments that are no object', '<tool_call>{"name": "f", "arguments": "x"}</tool_call>'],
    ['a call that is cut off', 'x <tool_call>{"name": "f"'],
  ])('keeps %s as text', (_, text) => {
    expect(split([text])).toEqual([{ text }]);
  });
});

describe('parseToolCall', () => {
  it('takes missing arguments for none', () => {
    expect(parseToolCall('{"name": "now"}')).toEqual({ name: 'now', arguments: '{}' });
  });
});
