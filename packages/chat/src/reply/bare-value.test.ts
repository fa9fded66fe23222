// Values as nested tags, as MiniMax M3's template writes them; the truth is what was written.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { analyseTemplate } from '../analysis/analyse-template.ts';
import { readReply } from '../testing/read-reply.ts';
import { renderReply, special } from '../testing/render-reply.ts';

const template = `{% macro tags(v) %}{% if v is mapping %}{% for k, x in v.items() %}#<{{ k }}>{{ tags(x) }}#</{{ k }}>{% endfor %}
{% elif v is iterable and v is not string %}{% for x in v %}#<item>{{ tags(x) }}#</item>{% endfor %}
{% elif v is boolean %}{{ v | tojson }}{% else %}{{ v }}{% endif %}{% endmacro %}
{% for m in messages %}<|turn|>{{ m.role }}
{{ m.content or '' }}{% for c in m.tool_calls or [] %}#<calls>
#<run name="{{ c.function.name }}">{% for k, v in c.function.arguments.items() %}#<{{ k }}>{{ tags(v) }}#</{{ k }}>{% endfor %}#</run>
#</calls>{% endfor %}<|done|>
{% endfor %}{% if add_generation_prompt %}<|turn|>assistant
{% endif %}`;
const format = analyseTemplate(template, special);
const text = { type: 'string' };
const node = { type: 'object', properties: { name: text, node: { $ref: '#/$defs/node' } } };
const properties = {
  place: { type: 'object', properties: { town: text, at: { type: 'array', items: { type: 'number' } } } },
  names: { type: 'array', items: text },
  rows: { type: 'array', items: { type: 'object', properties: { id: { type: 'integer' }, on: { type: 'boolean' } } } },
  tree: { $ref: '#/$defs/node' },
  items: { type: 'object', additionalProperties: text },
};
const parameters = { type: 'object', properties, $defs: { node } };
const typed = { type: 'function' as const, function: { name: 'typed', parameters } };
const free = { type: 'function' as const, function: { name: 'free' } };

it.each([
  ['typed', { place: { town: 'Zürich', at: [47.5, -8] }, names: ['12', 'true', ''] }],
  ['typed', { rows: [{ id: 1, on: true }, { id: 2 }], items: { item: 'a' } }],
  ['typed', { tree: { name: 'a', node: { name: 'b', node: { name: '3' } } } }],
  ['typed', { names: [], place: {} }],
  ['free', { deep: { a: 1, list: ['x', { b: false }] }, word: 'x' }],
])('%s %j', (name, args) => {
  const tools = [typed, free];
  const { reply } = renderReply(template, format, tools, { calls: [{ name, args }] });
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 30 }), (cuts) => {
      const { calls } = readReply(format, { tools, reasoningOpen: false }, reply, cuts);
      expect(calls.map((call) => [call.name, JSON.parse(call.arguments)])).toEqual([[name, args]]);
    }),
    { numRuns: 20 },
  );
});
