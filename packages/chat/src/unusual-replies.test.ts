// What models write that their templates do not: calls behind a text, marks of other families, words left out, notations that
// only some values have. What comes out is what the model meant, or the text as it stood.
import { describe, expect, it } from 'vitest';
import { analyseTemplate } from './analysis/analyse-template.ts';
import { renderPrompt } from './prompt/render-prompt.ts';
import { ownTemplates } from './testing/own-templates.ts';
import { readReply } from './testing/read-reply.ts';
import { special, tool } from './testing/render-reply.ts';

const tools = ['get', 'get_weather'].map(tool);
const turns = (call: string) =>
  `{% for m in messages %}<|t|>{{ m.role }}\n{{ m.content or '' }}{% for c in m.tool_calls or [] %}${call}{% endfor %}<|e|>{% endfor %}{% if add_generation_prompt %}<|t|>assistant\n{% endif %}`;
const bare = turns('{"name": "{{ c.function.name }}", "parameters": {{ c.function.arguments | tojson }}}');
const python = ownTemplates['Python without marks']!;

/** In one piece, and in pieces of one character, which must be the same. */
function read(template: string, reply: string) {
  const format = analyseTemplate(template, special);
  const whole = readReply(format, { tools, reasoningOpen: false }, reply);
  expect(readReply(format, { tools, reasoningOpen: false }, reply, Array(reply.length).fill(1))).toEqual(whole);
  return whole;
}
const get = (json: string) => ({ name: 'get', arguments: json });

describe('calls without marks', () => {
  it('may stand behind a text, in front of one, and be parted by semicolons', () => {
    const one = '{"name": "get", "parameters": {"text": "a"}}';
    expect(read(bare, `I look.\n${one}; ${one}\nThere.`)).toEqual({
      reasoning: '',
      content: 'I look.There.',
      calls: [get('{"text": "a"}'), get('{"text": "a"}')],
    });
    expect(read(python, "I look. [get(text='a')]")).toMatchObject({
      content: 'I look.',
      calls: [get('{"text": "a"}')],
    });
  });

  it('may stand in marks of other families', () => {
    const list = '[{"name": "get", "arguments": {"text": "a"}}]';
    for (const reply of [`[TOOL_CALLS]${list}`, `<tool_call>\n${list}\n</tool_call>`])
      expect(read(bare, reply)).toMatchObject({ content: '', calls: [get('{"text": "a"}')] });
    const marked = "<|python_start|>[get(text='a')]<|python_end|>";
    expect(read(python, marked)).toMatchObject({ content: '', calls: [get('{"text": "a"}')] });
  });

  it('are not what only begins like one', () => {
    for (const reply of [
      '{"a": 1}',
      '[1, 2]',
      '{"name": "other", "parameters": {}}',
      'So: {"name": "get"',
      '[get it]',
      '{',
    ])
      for (const template of [bare, python]) expect(read(template, reply)).toMatchObject({ content: reply, calls: [] });
  });
});

describe('a mark', () => {
  it('may lack its word', () => {
    const template = turns('<|call>do:{{ c.function.name }}{{ c.function.arguments | tojson }}<call|>');
    for (const open of ['<|call>do:', '<|call>:'])
      expect(read(template, `${open}get{"text": "a"}<call|>`)).toMatchObject({
        content: '',
        calls: [get('{"text": "a"}')],
      });
  });

  it('may have white space between its tags', () => {
    const parameters = '{% for k, v in c.function.arguments.items() %}<k>{{ k }}</k><v>{{ v }}</v>{% endfor %}';
    const reply = '<do>get\n<k>text</k>\n<v>a</v>\n<k>count</k>\n<v>1</v>\n</do>';
    expect(read(turns(`<do>{{ c.function.name }}${parameters}</do>`), reply)).toMatchObject({
      content: '',
      calls: [get('{"text": "a", "count": 1}')],
    });
  });

  it('is not one inside of CDATA, where the template knows of that', () => {
    const value = "{{ '<![CDATA[' + v + ']]>' if v is string and '<' in v else v }}";
    const parameters = `{% for k, v in c.function.arguments.items() %}<p n="{{ k }}">${value}</p>{% endfor %}`;
    const template = turns(`<do n="{{ c.function.name }}">${parameters}</do>`);
    const reply = '<do n="get"><p n="text"><![CDATA[\n</p> 1 < 2]]></p><p n="count">1</p></do>';
    const { calls, content } = read(template, reply);
    expect({ content, args: JSON.parse(calls[0]!.arguments) }).toEqual({
      content: '',
      args: { text: '\n</p> 1 < 2', count: 1 },
    });
  });
});

it('texts that only speak of functools show how calls are written', () => {
  const template = turns('').replace('{% for m', 'Write functools[…] to call.{% for m');
  const reply = 'functools[{"name": "get", "arguments": {"text": "a"}}]';
  expect(read(template, reply)).toMatchObject({ content: '', calls: [get('{"text": "a"}')] });
  expect(read(template, 'Use functools.cache.')).toMatchObject({ content: 'Use functools.cache.', calls: [] });
});

describe('a prompt', () => {
  it('has the tools in the variable that the template reads', () => {
    const template = `Functions: {{ functions + "" }} at {{ datetime }}\n${turns('')}`;
    const messages = [{ role: 'user', content: 'Hi' }];
    const { text } = renderPrompt(analyseTemplate(template, special), template, { messages, tools, special });
    expect(text).toContain('"name": "get_weather"');
    expect(text).toMatch(/ at \d{4}-\d\d-\d\d\n/);
  });

  it('tells calls by their ids where the template writes nothing else of them', () => {
    const template = ownTemplates['calls that their ids tell']!;
    const call = (id: string, name: string) => ({ id, type: 'function', function: { name, arguments: '{}' } });
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', tool_calls: [call('call_x', 'get'), call('call_y', 'get_weather')] },
      { role: 'tool', tool_call_id: 'call_x', content: 'ok' },
      { role: 'assistant', content: '', tool_calls: [call('call_z', 'get')] },
    ];
    const { text } = renderPrompt(analyseTemplate(template, special), template, { messages, tools, special });
    expect(text.match(/(?<=<\|c\|>).*?(?=<\|w\|>)/g)).toEqual([
      'functions.get:0',
      'functions.get_weather:1',
      'functions.get:2',
    ]);
  });
});

it('reasoning that is empty in other messages opens with all that stands in front of it', () => {
  const template = `{% for m in messages %}<|t|>{{ m.role }}
{% if m.role == 'assistant' %}<|ch>thought
{{ m.reasoning_content or '' }}<ch|>{% endif %}{{ m.content or '' }}<|e|>{% endfor %}{% if add_generation_prompt %}<|t|>assistant
{{ '<|ch>thought\\n<ch|>' }}{% endif %}`;
  expect(analyseTemplate(template, special).reasoning).toEqual({ open: '<|ch>thought', close: '<ch|>' });
});
