// Templates of formats that no model has: what is found in them was not written for them.
const turn = (call: string, around: { open: string; close: string } = { open: '', close: '' }) =>
  `{% for m in messages %}
<|turn|>{{ m.role }}
{% if m.role == 'assistant' and m.reasoning_content %}<muse>{{ m.reasoning_content }}</muse>
{% endif %}
{{ m.content or '' }}{% if m.tool_calls %}${around.open}{% for c in m.tool_calls %}${call}{% endfor %}${around.close}{% endif %}<|done|>
{% endfor %}
{% if add_generation_prompt %}<|turn|>assistant
{% endif %}`;

const parameters = (each: string) => `{% for k, v in c.function.arguments.items() %}${each}{% endfor %}`;
const raw = '{{ v if v is string else (v | tojson) }}';

const pythonic = `{{ c.function.name }}({% for k, v in c.function.arguments.items() %}{{ ', ' if not loop.first }}{{ k }}={{ v if v is boolean else v | tojson }}{% endfor %})`;

const addressed = (call: string, end: string) =>
  `{% for m in messages %}{% if m.role == 'assistant' %}
{% if m.reasoning_content %}<|go|>assistant for=me<|says|>{{ m.reasoning_content }}<|next|>{% endif %}
{% for c in m.tool_calls or [] %}${call}${end}{% else %}<|go|>assistant for=you<|says|>{{ m.content }}<|over|>{% endfor %}
{% else %}<|go|>{{ m.role }}<|says|>{{ m.content }}<|over|>{% endif %}{% endfor %}
{% if add_generation_prompt %}<|go|>assistant{% endif %}`;

export const ownTemplates: Readonly<Record<string, string>> = {
  'JSON in a tag': turn('<do>{"fn": "{{ c.function.name }}", "with": {{ c.function.arguments | tojson }}}</do>'),
  'a JSON list': turn(
    '{{ ", " if not loop.first }}{"id": "{{ c.id }}", "name": "{{ c.function.name }}", "args": {{ c.function.arguments | tojson }}}',
    { open: '[ACTIONS] [', close: ']' },
  ),
  'the name as key': turn('<a>{"{{ c.function.name }}": {{ c.function.arguments | tojson }}}</a>'),
  'the name in front, with an id': turn(
    '<|c|>{{ c.id }}<|n|>{{ c.function.name }}<|w|>{{ c.function.arguments | tojson }}<|e|>',
    { open: '<|cs|>', close: '<|es|>' },
  ),
  'parameters as attributes': turn(
    `<run tool="{{ c.function.name }}">${parameters(`<arg n="{{ k }}">${raw}</arg>`)}</run>\n`,
    { open: '\n<runs>\n', close: '</runs>' },
  ),
  'parameters on lines': turn(
    `<tool>\n<name={{ c.function.name }}>\n${parameters(`<p={{ k }}>\n${raw}\n</p>\n`)}</name>\n</tool>\n`,
  ),
  'parameters that say what they are': turn(
    `<call {{ c.function.name }}>${parameters(`<p {{ k }} kind={{ 'text' if v is string else 'json' }}>${raw}</p>`)}</call>`,
  ),
  'parameters as tags, and calls without an end': turn(
    `[CALL]<name>{{ c.function.name }}</name>${parameters(`<{{ k }}>${raw}</{{ k }}>`)}`,
    { open: '<calls>', close: '</calls>' },
  ),
  'messages for somebody, calls in tags': addressed(
    `<|go|>assistant for={{ c.function.name }}<|says|><run="{{ c.function.name }}">${parameters(`<{{ k }}>${raw}</{{ k }}>`)}</run>`,
    "{{ '<|over|>' if loop.last else '<|next|>' }}",
  ),
  'parameters behind a mark in front of every tag': turn(
    `]<]own[>[<call {{ c.function.name }}>${parameters(`]<]own[>[<{{ k }}>${raw}]<]own[>[</{{ k }}>`)}]<]own[>[</call>\n`,
    { open: ']<]own[>[<calls>\n', close: ']<]own[>[</calls>' },
  ),
  'lines of Python': turn(`${pythonic}\n`, { open: '<|py|>\n```\n', close: '```\n<|done_py|>' }),
  'Python without marks': turn(`{{ ', ' if not loop.first }}${pythonic}`, { open: '[', close: ']' }),
  'calls that their ids tell': turn('<|c|>{{ c.id }}<|w|>{{ c.function.arguments | tojson }}<|e|>', {
    open: '<|cs|>',
    close: '<|es|>',
  }),
  'texts in marks, calls without': `{% for m in messages %}
<|turn|>{{ m.role }}
{% if m.tool_calls %}<|text|>{{ m.content }}<|text_end|>{% for c in m.tool_calls %}{"fn": "{{ c.function.name }}", "with": {{ c.function.arguments | tojson }}}{% endfor %}
{% else %}{{ m.content }}{% endif %}<|done|>
{% endfor %}
{% if add_generation_prompt %}<|turn|>assistant
{% endif %}`,
  'recipients behind an answer that may be empty': `{% for m in messages %}{% if m.role == 'assistant' %}
{% if m.content is not none %}<|of|>assistant<|to|>you<|says|>{{ m.content }}{% endif %}
{% for c in m.tool_calls or [] %}<|of|>assistant<|to|>{{ c.function.name }}<|says|>{{ c.function.arguments | tojson }}{% endfor %}<|over|>
{% else %}<|of|>{{ m.role }}<|to|>you<|says|>{{ m.content }}{% endif %}{% endfor %}
{% if add_generation_prompt %}<|of|>assistant<|to|>{% endif %}`,
  'recipients on lines': `{% for m in messages %}[{{ m.role }}]
{% if m.role == 'assistant' %}{% if m.content %}@@@you
{{ m.content }}{% endif %}{% for c in m.tool_calls or [] %}@@@{{ c.function.name }}
{{ c.function.arguments | tojson }}{% endfor %}<|over|>{% else %}{{ m.content }}<|over|>{% endif %}{% endfor %}
{% if add_generation_prompt %}[assistant]
@@@{% endif %}`,
};
