import { expect, it } from 'vitest';
import { analyseTemplate } from '../analysis/analyse-template.ts';
import { matched } from '../testing/byte-matcher.ts';
import { readReply } from '../testing/read-reply.ts';
import { special, tool } from '../testing/render-reply.ts';
import { replyGrammar } from './reply-grammar.ts';

const format = analyseTemplate('{{ messages[0].content }}{# <|channel|>final #}', special);
const tools = [tool('get'), tool('get_weather')];
const source = replyGrammar(format, { tools, choice: 'required', parallel: true, reasoningOpen: false })!;
const args = '{"text": "a", "count": 2}';

it.each([
  ' to=functions.get_weather<|channel|>commentary json<|message|>',
  ' to=functions.get_weather<|channel|>analysis <|constrain|>json<|message|>',
  '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>',
  '<|channel|>commentary to=functions.get_weather json<|message|>',
  '<|channel|>commentary to=functions.get_weather<|message|>',
  '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>',
])('forces a call with the header %j', (header) => {
  const reply = `${header}${args}<|call|>`;
  expect(matched(source, reply).whole).toBe(true);
  expect(matched(source, `${header}{"text": 1}<|call|>`).whole).toBe(false);
  const read = readReply(format, { tools, reasoningOpen: false }, reply, [5, 9, 30]);
  expect(read.calls).toEqual([{ name: 'get_weather', arguments: args }]);
  expect(read.content).toBe('');
});

it('takes no other recipient or channel', () => {
  for (const header of [' to=functions.other<|channel|>commentary json', '<|channel|>final to=functions.get json'])
    expect(matched(source, `${header}<|message|>${args}<|call|>`).whole).toBe(false);
});
