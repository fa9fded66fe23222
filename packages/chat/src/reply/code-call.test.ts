// Calls in Python where the template shows JSON: Llama 3 behind `<|python_tag|>`, Llama 3.2 and 4 without any mark.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { analyseTemplate } from '../analysis/analyse-template.ts';
import { readReply } from '../testing/read-reply.ts';
import { special, tool } from '../testing/render-reply.ts';

const template = `{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>
{% if m.tool_calls %}{% set c = m.tool_calls[0].function %}{"name": "{{ c.name }}", "parameters": {{ c.arguments | tojson }}}{% else %}{{ m.content }}{% endif %}<|eot_id|>{% endfor %}
{# <|python_tag|> #}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>{% endif %}`;
const format = analyseTemplate(template, special);
const python = {
  type: 'function' as const,
  function: { name: 'ipython', parameters: { type: 'object', properties: { code: { type: 'string' } } } },
};
const tools = [tool('get'), python];

it.each([
  ['a call of a tool', '<|python_tag|>get.call(text="a b", count=3)', [{ text: 'a b', count: 3 }], ''],
  ['a program', '<|python_tag|>x = 1\nprint("x")', [{ code: 'x = 1\nprint("x")' }], ''],
  ['JSON behind the mark', '<|python_tag|>{"name": "get", "parameters": {"text": "a"}}', [{ text: 'a' }], ''],
  [
    'a list without a mark',
    "[get(text='a', flag=True), get(text='b')]",
    [{ text: 'a', flag: true }, { text: 'b' }],
    '',
  ],
  ['a list of something else', '[get, ipython]', [], '[get, ipython]'],
])('%s', (_, reply, args, content) => {
  fc.assert(
    fc.property(fc.array(fc.nat(7), { maxLength: 20 }), (cuts) => {
      const read = readReply(format, { tools, reasoningOpen: false }, reply, cuts);
      expect(read.calls.map((call) => JSON.parse(call.arguments))).toEqual(args);
      expect(read.content).toBe(content);
    }),
    { numRuns: 30 },
  );
});

it('a program is content where no tool runs such', () => {
  const read = readReply(format, { tools: [tool('get')], reasoningOpen: false }, '<|python_tag|>x = 1');
  expect(read).toMatchObject({ calls: [], content: '<|python_tag|>x = 1' });
});
