// Messages with recipients as functionary 3.2 writes them: `>>>name\n…`, the prompt ending behind `>>>`.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyseTemplate } from '../analysis/analyse-template.ts';
import { replyGrammar } from '../constraints/reply-grammar.ts';
import { matched } from '../testing/byte-matcher.ts';
import { ownTemplates } from '../testing/own-templates.ts';
import { readReply } from '../testing/read-reply.ts';
import { special, tool } from '../testing/render-reply.ts';

const format = analyseTemplate(ownTemplates['recipients on lines']!, special);
const python = {
  type: 'function' as const,
  function: { name: 'python', parameters: { type: 'object', properties: { code: { type: 'string' } } } },
};
const tools = [tool('get'), python];
const read = (reply: string, cuts: number[] = []) => readReply(format, { tools, reasoningOpen: false }, reply, cuts);

describe('messages with recipients', () => {
  it('are found by what the template writes', () => {
    expect(format.recipients).toMatchObject({ begin: '@@@', beforeName: '', afterName: '\n', content: 'you' });
  });

  it.each([
    ['code as it stands is the text that a tool takes', 'python\nprint("a")\nx = 1', ['print("a")\nx = 1'], ''],
    ['a message for nobody who is known is content', 'you\nSo:@@@nobody\n{"a": 1}', [], 'So:@@@nobody\n{"a": 1}'],
    ['text without a header is content', 'Just text.', [], 'Just text.'],
    ['calls stand behind an answer', 'you\nWait.@@@python\n1 + 1@@@you\nDone.', ['1 + 1'], 'Wait.Done.'],
  ])('%s', (_, reply, code, content) => {
    fc.assert(
      fc.property(fc.array(fc.nat(7), { maxLength: 20 }), (cuts) => {
        const said = read(reply, cuts);
        expect(said.calls.map((call) => JSON.parse(call.arguments).code)).toEqual(code);
        expect(said.content).toBe(content);
      }),
      { numRuns: 30 },
    );
  });

  it('are held from the header on, without being forced too', () => {
    const base = { tools: [tool('get')], parallel: true, reasoningOpen: false } as const;
    const auto = replyGrammar(format, { ...base, choice: 'auto' })!;
    expect(matched(auto, 'you\nHello.').whole).toBe(true);
    expect(matched(auto, 'you\nHello.@@@get\n{"text": "a"}').whole).toBe(true);
    expect(matched(auto, 'get\n{"text": 1}').whole).toBe(false);
    const forced = replyGrammar(format, { ...base, choice: 'required' })!;
    expect(matched(forced, 'get\n{"text": "a"}@@@get\n{"text": "b"}').whole).toBe(true);
    expect(matched(forced, 'you\nHello.').whole).toBe(false);
  });
});
