import { describe, expect, it } from 'vitest';
import { renderChat } from './render-chat.ts';

const render = (template: string, extra: Record<string, unknown> = {}) =>
  renderChat({ template, messages: [{ role: 'user', content: 'Grüße "x"' }], extra });

// Expected texts are Python's (jinja2 with trim_blocks and lstrip_blocks, as transformers sets it up).
describe('renderChat', () => {
  it('prints values as Python does', () => {
    expect(render('{{ true }} {{ none }} {{ [1, "a", {"b": false}] }} {{ ["it\'s"] }} {{ undefined_name }}|')).toBe(
      "True None [1, 'a', {'b': False}] [\"it's\"] |",
    );
    expect(render('{{ messages }}')).toBe(`[{'role': 'user', 'content': 'Grüße "x"'}]`);
    expect(render('{{ "a" ~ 1 ~ true }}')).toBe('a1True');
  });

  it('compares values as Python does', () => {
    expect(render('{{ "1" == 1 }} {{ "" == [] }} {{ none == undefined_name }} {{ 1 == true }}')).toBe(
      'False False False True',
    );
    expect(render('{{ {"a": 1}[undefined_name] }}|{{ {"a": 1}["a"] }}')).toBe('|1');
    expect(render('{{ [1, {"a": 2}] == [1, {"a": 2}] }} {{ {"a": 1} != {"a": 2} }}')).toBe('True True');
  });

  it.each([
    ['{{ "a{}b{}c".format(1, none) }}', 'a1bNonec'],
    ['{{ "{0}{1}{0}".format("x", [1]) }}', 'x[1]x'],
    ['{{ "{{}}{n}".format(n=true) }}', '{}True'],
    ['{{ "{}".format(missing) }}|', '|'],
    ['{{ [3,1.5,2]|min }}{{ [3,1.5,2]|max }}', '1.53'],
    ['{{ ["b","A","c"]|min }}{{ ["b","A","C"]|max }}', 'AC'],
    ['{{ []|min }}.', '.'],
    ['{% set l = [1, 2, 3] %}{{ l.pop(0) }}{{ l.pop() }}{{ l }}{{ l.pop(-1) }}{{ l }}', '13[2]2[]'],
    ['{{ [1,1.0]|max }}', '1'],
    [
      '{% set l=[] %}{% set _=l.append(1) %}{% for i in range(2) %}{% set _=l.append(i) %}{% endfor %}{{ l }}{{ _ }}',
      '[1, 0, 1]None',
    ],
  ])('has the methods and filters of Python that the library has not: %s', (template, text) => {
    expect(render(template)).toBe(text);
  });

  it('keeps nothing of one conversation for the next that the same template renders', () => {
    const template =
      '{% set l = [1] %}{% set _ = l.append(messages | length) %}{% macro m(x=[]) %}{% set _ = x.append(2) %}{{ x }}{% endmacro %}' +
      '{% for message in messages %}{{ message.content }}{% endfor %}{{ l }}{{ m() }}{% set messages = [] %}';
    const of = (...contents: string[]) =>
      renderChat({ template, messages: contents.map((content) => ({ role: 'user', content })) });
    expect(of('a', 'b')).toBe('ab[1, 2][2]');
    expect(of('c')).toBe('c[1, 1][2]');
    expect(of('a', 'b')).toBe('ab[1, 2][2]');
  });

  it('writes JSON as transformers does: not ASCII only, indented on request', () => {
    expect(render('{{ messages[0] | tojson }}')).toBe('{"role": "user", "content": "Grüße \\"x\\""}');
    expect(render('{{ {"a": [1, 2]} | tojson(indent=2) }}')).toBe('{\n  "a": [\n    1,\n    2\n  ]\n}');
  });

  it('trims blocks and knows the time', () => {
    expect(render('  {% if true %}\n  x\n  {% endif %}\ny')).toBe('  x\ny');
    const now = new Date(2026, 10, 4, 15, 7, 9);
    const template = "{{ strftime_now('%d %b %Y|%A %B %-d %H:%M:%S %I%p %j %y %m %e %a %%') }}";
    expect(renderChat({ template, messages: [], now })).toBe(
      '04 Nov 2026|Wednesday November 4 15:07:09 03PM 308 26 11  4 Wed %',
    );
  });

  it('gives the template its variables', () => {
    const template =
      '{{ bos_token }}{{ tools | length }}{{ enable_thinking }}{{ add_generation_prompt }}{{ eos_token }}';
    const options = {
      template,
      messages: [],
      tools: [{}],
      bosToken: '<s>',
      eosToken: '</s>',
      addGenerationPrompt: true,
    };
    expect(renderChat({ ...options, extra: { enable_thinking: false } })).toBe('<s>1FalseTrue</s>');
    expect(renderChat({ template: '{{ tools is none }}{{ bos_token is defined }}', messages: [] })).toBe('TrueFalse');
  });

  it.each([
    ['raise_exception', "{{ raise_exception('roles must alternate') }}", 'roles must alternate'],
    ['a list joined to a text', '{{ "a" + [] }}', 'can only concatenate str (not "list") to str'],
    ['a format with a width', '{{ "{:5}".format(1) }}', '{:5}'],
    ['a format without its value', '{{ "{}{}".format(1) }}', 'no value'],
    ['nothing to pop', '{{ [].pop() }}', 'pop'],
    ['the least of a mixture', '{{ [1, "a"] | min }}', 'not supported between'],
    ['an unknown filter', '{{ "a" | nonsense }}', 'nonsense'],
    ['an unknown time directive', "{{ strftime_now('%Q') }}", '%Q'],
  ])('refuses with the reason: %s', (_, template, reason) => {
    expect(() => render(template)).toThrow(
      expect.objectContaining({ code: 'chat-template-refused', message: expect.stringContaining(reason) }),
    );
  });

  it('reads a template of blanks in no time', () => {
    expect(render(' '.repeat(1 << 20))).toHaveLength(1 << 20);
    expect(render(`${' '.repeat(1 << 19)}{%- if true %}x{% endif %}`)).toBe('x');
  });

  it('reads what is no number to its end once', () => {
    const digits = `${'1'.repeat(200_000)}x`;
    expect(render('{{ text | float }} {{ text | int }} {{ "1." | float }}', { text: digits })).toBe('0.0 0 1.0');
  });

  it.each(['-4', '3', '1.5'])('takes nothing from outside of a list: %s', (at) => {
    expect(render('{% set a = [1, 2, 3] %}{{ a.pop(-3) }}{{ a.pop() }}{{ a }}')).toBe('13[2]');
    expect(() => render(`{% set a = [1, 2, 3] %}{{ a.pop(${at}) }}`)).toThrow(
      expect.objectContaining({ code: 'chat-template-refused' }),
    );
  });

  it.each([
    ['{% if %}'],
    ['{% for x in y %}'],
    ['{{ "a }}'],
    ['x'.repeat((1 << 20) + 1)],
    ['{% raw %}'],
    [`{{ ${'('.repeat(9e5)} }}`],
  ])('refuses what is no template', (template) => {
    expect(() => render(template)).toThrow(expect.objectContaining({ code: 'chat-template-invalid' }));
  });

  it.each([
    ['nested loops', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'],
    ['endless recursion', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    ['a huge range', '{% for a in range(99999999999) %}{% endfor %}'],
    [
      'doubling',
      '{% set ns = namespace(s="x") %}{% for a in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}',
    ],
    [
      'lists in lists, printed',
      '{% set n = namespace(s=[1]) %}{% for i in range(100) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}',
    ],
    [
      'lists in lists, filled late, as JSON',
      '{% set e = [] %}{% for i in range(40) %}{% set _ = e.append([]) %}{% endfor %}{% for i in range(39, 0, -1) %}{% set _ = e[i].append(e[i - 1]) %}{% set _ = e[i].append(e[i - 1]) %}{% endfor %}{{ e[39] | tojson }}',
    ],
    [
      'lists in lists, compared',
      '{% set n = namespace(s=[1], t=[1]) %}{% for i in range(100) %}{% set n.s = [n.s, n.s] %}{% set n.t = [n.t, n.t] %}{% endfor %}{{ n.s == n.t }}',
    ],
    ['many values, each compared with all', '{{ range(100000) | unique | list }}'],
    ['a sum of lists', '{{ ([range(1000) | list] * 100000) | sum(start=[]) }}'],
    ['one long text many times', "{{ ['x' * 500000] * 1000 }}"],
    ['a row that is filled up', "{{ [1] | batch(1000000000, 'x') | list }}"],
    ['a million millions of nothing', '{{ ([] * 1000000000000)[0].x }}'],
    ['a wide indent', "{{ 'a' | indent(1000000000) }}"],
  ])('bounds a hostile template: %s', (_, template) => {
    const limits = { steps: 200_000, characters: 1 << 20 };
    expect(() => renderChat({ template, messages: [], limits })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^chat-template-(runaway|refused)$/) }),
    );
  });
});
