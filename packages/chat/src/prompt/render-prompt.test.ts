import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyseTemplate } from '../analysis/analyse-template.ts';
import { ownTemplates } from '../testing/own-templates.ts';
import { special } from '../testing/render-reply.ts';
import { type PromptOptions, renderPrompt } from './render-prompt.ts';

const folder = join(process.env.QUERN_DATA ?? join(import.meta.dirname, '../../../../../shared/data'), 'templates');
type Message = PromptOptions['messages'][number];
const messages: Message[] = [{ role: 'user', content: 'Hi' }];

function end(template: string, options: Partial<PromptOptions>) {
  const format = analyseTemplate(template, special);
  const { text, reasoningOpen } = renderPrompt(format, template, { messages, special, ...options });
  return { end: text.slice(text.lastIndexOf('Hi') + 2), reasoningOpen };
}

const bare = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } } as const;

describe('renderPrompt', () => {
  it('gives a tool without a description an empty one where the template refuses it, and there alone', () => {
    const strict =
      '{% for t in tools or [] %}// {{ "// " + t.function.description + ";" }}{% endfor %}{{ messages[0].content }}';
    for (const description of [undefined, null]) {
      const tool = { ...bare, function: { ...bare.function, description } };
      expect(renderPrompt(analyseTemplate(strict, special), strict, { messages, tools: [tool], special }).text).toBe(
        '// // ;Hi',
      );
    }
    const plain = '{{ tools | tojson }}{{ messages[0].content }}';
    const { text } = renderPrompt(analyseTemplate(plain, special), plain, { messages, tools: [bare], special });
    expect(text).not.toContain('description');
  });

  const own = ownTemplates['JSON in a tag']!;

  it('closes reasoning at once where the template has no switch', () => {
    expect(end(own, {})).toEqual({ end: '<|done|>\n<|turn|>assistant\n', reasoningOpen: false });
    expect(end(own, { thinking: false }).end).toBe('<|done|>\n<|turn|>assistant\n<muse>\n\n</muse>\n\n');
    const opens = `${own}{% if add_generation_prompt %}<muse>{% endif %}`;
    expect(end(opens, {})).toEqual({ end: '<|done|>\n<|turn|>assistant\n<muse>', reasoningOpen: true });
    expect(end(opens, { thinking: 'none' })).toEqual({
      end: '<|done|>\n<|turn|>assistant\n<muse>\n\n</muse>\n\n',
      reasoningOpen: false,
    });
  });

  it("turns the template's own switch, and the nearest level that it knows", () => {
    const switched = `{{ messages[0].content }}{% if thinking_mode == 'disabled' %}<think></think>{% else %}<think>{% endif %}
{% set reasoning_effort = reasoning_effort | default('') %}
{% if reasoning_effort in ['low', 'high'] %}[{{ reasoning_effort }}]{% endif %}`;
    expect(end(switched, { thinking: false }).end).toBe('<think></think>');
    expect(end(switched, { thinking: 'minimal' }).end).toBe('<think>[low]');
    expect(end(switched, { thinking: true, variables: { thinking_mode: 'disabled' } }).end).toBe('<think></think>');
  });

  describe('instructions', () => {
    const [system, late] = ['One.', 'Two.'].map((content) => ({ role: 'system', content })) as [Message, Message];
    const answer = { role: 'assistant', content: 'Yes?' };
    const hi = messages[0]!;
    const turns = '{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}';
    const first = `{% if messages[0].role == 'system' %}({{ messages[0].content }}){% set messages = messages[1:] %}{% endif %}
{%- for m in messages %}{% if m.role == 'system' %}{{ raise_exception('roles') }}{% endif %}{% endfor %}${turns}`;
    const silent = turns.replace('[{{', "{% if m.role != 'system' %}[{{").replace('{% endfor', '{% endif %}{% endfor');
    const rendered = (template: string, options: Partial<PromptOptions>) =>
      renderPrompt(analyseTemplate(template, special), template, { messages, special, ...options }).text;
    const told = (template: string, ...conversation: Message[]) => rendered(template, { messages: conversation });

    it('stay where they are in a template that writes them anywhere', () => {
      expect(told(turns, system, hi, late, answer)).toBe('[system] One.[user] Hi[system] Two.[assistant] Yes?');
    });

    it('join what the user or a tool said where it reads the first message alone, and turns still take turns', () => {
      expect(told(first, system, late, hi)).toBe('(One.\n\nTwo.)[user] Hi');
      expect(told(first, system, hi, late)).toBe('(One.)[user] Hi\n\nTwo.');
      expect(told(first, hi, answer, late, hi)).toBe('[user] Hi[assistant] Yes?[user] Two.\n\nHi');
      expect(told(first, hi, answer, late)).toBe('[user] Hi[assistant] Yes?[user] Two.');
      const tool = { role: 'tool', tool_call_id: 'c', content: 'done' };
      expect(told(first, hi, answer, tool, late)).toBe('[user] Hi[assistant] Yes?[tool] done\n\nTwo.');
    });

    it.each([silent, `{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}${turns}`])(
      'begin the question where it has no place for any: %#',
      (template) => {
        expect(told(template, system, late, hi)).toBe('[user] One.\n\nTwo.\n\nHi');
        expect(told(template, system, answer, hi)).toBe('[user] One.[assistant] Yes?[user] Hi');
      },
    );

    it.skipIf(!existsSync(folder))('reach every template', () => {
      // One of them asks for tools.
      const tools = [{ ...bare, function: { ...bare.function, description: 'Does it.' } }];
      const conversation = [system, hi, late, answer, late, hi];
      for (const name of readdirSync(folder).filter((file) => file.endsWith('.jinja'))) {
        const text = rendered(readFileSync(join(folder, name), 'utf8'), { messages: conversation, tools });
        expect([text.split('One.').length, text.split('Two.').length], name).toEqual([2, 3]);
      }
    });
  });

  it('goes on with the last message', () => {
    const last = [...messages, { role: 'assistant', content: 'Hello, I' }];
    expect(end(own, { messages: last, continueFinalMessage: true }).end).toBe('<|done|>\n<|turn|>assistant\nHello, I');
  });

  const id = 'call_0123456789abcdef01234567';
  const conversation = (first: string, second: string) => [
    ...messages,
    ...[first, second].flatMap((id, i) => [
      { role: 'assistant', tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: `{"a": ${i}}` } }] },
      { role: 'tool', tool_call_id: id, content: `done ${i}` },
      { role: 'assistant', content: 'So.' },
      { role: 'user', content: 'More' },
    ]),
  ];

  it('gives calls the ids that a template insists on, the same for a call and its result', () => {
    const strict = `{% for m in messages %}{% for c in m.tool_calls or [] %}{% if c.id | length != 9 %}{{ raise_exception('nine!') }}{% endif %}
[{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}, "id": "{{ c.id }}"}]{% endfor %}
{% if m.role == 'tool' %}{% if m.tool_call_id | length != 9 %}{{ raise_exception('nine!') }}{% endif %}({{ m.tool_call_id }}){% endif %}{{ m.content or '' }}{% endfor %}`;
    const format = analyseTemplate(strict, special);
    const { text } = renderPrompt(format, strict, { messages: conversation(id, 'abcdefgh1'), special });
    expect(text.match(/(?<="id": ")\w+|(?<=\()\w+/g)).toEqual(['call00001', 'call00001', 'abcdefgh1', 'abcdefgh1']);
    const lax = strict.replaceAll('!= 9', '== 0');
    const free = renderPrompt(analyseTemplate(lax, special), lax, { messages: conversation(id, 'abcdefgh1'), special });
    expect(free.text).toContain(`(${id})`);
  });

  it.skipIf(!existsSync(folder))("renders calls with a server's ids in every known template that writes calls", () => {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.jinja'))) {
      const template = readFileSync(join(folder, name), 'utf8');
      const format = analyseTemplate(template, special);
      if (!format.calls || !template.includes('tool_calls')) continue;
      const { text } = renderPrompt(format, template, { messages: conversation(id, `${id}f`), tools: [bare], special });
      expect(text, name).toMatch(/done 0.*done 1/s);
    }
  });

  it.skipIf(!existsSync(folder))('hands reasoning and calls to the template in its own shape', () => {
    const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }];
    const earlier = [
      ...messages,
      { role: 'assistant', content: null, reasoning_content: 'Deep thoughts.', tool_calls: calls },
      { role: 'tool', tool_call_id: 'c', content: 'done' },
    ];
    for (const name of [
      'openai-gpt-oss-120b',
      'GLM-4.6',
      'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B',
      'Qwen-Qwen3-0.6B',
    ]) {
      const template = readFileSync(join(folder, `${name}.jinja`), 'utf8');
      const { text } = renderPrompt(analyseTemplate(template, special), template, { messages: earlier, special });
      expect(text, name).toMatch(/done/);
      expect(text, name).toMatch(/"a": ?1|<arg_value>1/);
      if (!name.startsWith('deepseek')) expect(text, name).toContain('Deep thoughts.');
    }
  });
});
