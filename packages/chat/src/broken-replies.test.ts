// Models write broken replies: calls that are cut, values that are none, names that are misspelt, text where none may stand.
// Whatever was generated reaches the client, and is the same however it came in pieces. What a good reply shows of its words is
// the measure: the words that it does not show are the format's own, and nothing else may be missing from a broken one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyseTemplate } from './analysis/analyse-template.ts';
import { ownTemplates } from './testing/own-templates.ts';
import { type Read, readReply } from './testing/read-reply.ts';
import { renderReply, special, tool } from './testing/render-reply.ts';

const folder = join(process.env.QUERN_DATA ?? join(import.meta.dirname, '../../../../shared/data'), 'templates');
if (!existsSync(folder)) console.warn(`Skipped: templates of known models are not at ${folder} (set QUERN_DATA).`);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jinja')) : [];
const known = files.map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

const tools = ['get', 'get_weather'].map(tool);
const args = { text: 'PARIS', count: 4711, flag: true, list: ['ROME', 'OSLO'], deep: { river: 'TIBER' } };
const calls = [
  { name: 'get_weather', args },
  { name: 'get', args: { text: 'LIMA', count: 12 } },
];

/** What a model may write anywhere. */
const junk = fc.oneof(
  fc.constantFrom(
    'QUERN①',
    ' QUERN ',
    'True QUERN ',
    '"x": "QUERN", ',
    ', "x": {"QUERN": "①"}',
    '<p QUERN>',
    '\nQUERN\n',
  ),
  fc.constantFrom('"QUERN', "'QUERN", '}QUERN', '(QUERN', '=QUERN', '\\QUERN', '$', '①', ...'"{}[]<>,:='),
);
const slip = fc.record({
  at: fc.noBias(fc.nat(9999)),
  deleted: fc.oneof(fc.constant(0), fc.nat(12), fc.constant(1e6)),
  inserted: fc.oneof(fc.constantFrom('', 'QUERN'), junk),
});

/** What stands in the place of an id and looks like one. */
const ids =
  /(?<="(?:tool_call_)?id"\s*:\s*")[\w.:-]*(?=")|(?<=<\|c\|>\s*)[\w.:-]*(?=\s*<\|n\|>)|(?<=:\s*)[\w.:-]*(?=\s*<\|tool_call_arg)/g;

function misspelt(reply: string, { at, deleted, inserted }: { at: number; deleted: number; inserted: string }): string {
  const start = Math.floor((at / 10_000) * reply.length);
  const end = start + deleted;
  // White space is a matter of taste to readers: without it, two words of the format are one.
  const rest = reply.slice(start, end).trim() === '' ? reply.slice(start) : reply.slice(end);
  return reply.slice(0, start) + inserted + rest;
}

/** Words that a reader may write in another way, and what may be a part of another word (`get` of `get_weather`). */
const free = /^(?:true|false|null|True|False|None|get|\w{1,2})$/;
const wordsOf = (text: string): string[] =>
  (text.match(/\w+|([^\s\w{}[\]()<>"',:=|/\\`.])\1*/g) ?? []).filter((word) => !free.test(word));
const count = (words: readonly string[], word: string): number => words.filter((one) => one === word).length;

/** How often the words of a text are not in what was made of it. */
function missing(text: string, { reasoning, content, calls }: Read): Map<string, number> {
  const shown = [reasoning, content, ...calls.flatMap((call) => [call.name, call.arguments])].join(' ');
  const words = wordsOf(text.replace(ids, ''));
  return new Map([...new Set(words)].map((word) => [word, count(words, word) - (shown.split(word).length - 1)]));
}

describe('of a broken reply nothing is lost', () => {
  it.each([...Object.entries(ownTemplates), ...known])('%s', (_, template) => {
    const format = analyseTemplate(template, special);
    const said = { content: 'BEFORE', calls: calls.slice(0, format.calls?.several ? 2 : 1) };
    const { reply, reasoningOpen } = renderReply(template, format, tools, said);
    const chat = { tools, reasoningOpen };
    const frame = missing(reply, readReply(format, chat, reply));
    // A slip can make one mark of the format out of another.
    const mayMiss = (word: string, slips: number) => {
      const own = frame.get(word) ?? 0;
      return own > 0 ? own + slips : 0;
    };
    fc.assert(
      fc.property(
        fc.array(slip, { minLength: 1, maxLength: 2 }),
        fc.array(fc.nat(9), { maxLength: 30 }),
        (slips, pieces) => {
          const text = slips.reduce(misspelt, reply);
          const whole = readReply(format, chat, text);
          expect(readReply(format, chat, text, pieces)).toEqual(whole);
          const lost = [...missing(text, whole)].filter(([word, times]) => times > mayMiss(word, slips.length));
          expect(lost, `${text}\n${JSON.stringify(whole)}`).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a broken call', () => {
  const formatOf = (name: string) => analyseTemplate(ownTemplates[name]!, special);
  const read = (name: string, reply: string) => readReply(formatOf(name), { tools, reasoningOpen: false }, reply);
  const get = (json: string) => [{ name: 'get', arguments: json }];

  it('keeps a word in the place of a value in its arguments; what is behind it is content', () => {
    const reply = '<do>{"fn": "get", "with": {"text": "ROME", "flag": QUERN true, "count": 1}}</do>';
    const { calls, content } = read('JSON in a tag', reply);
    expect(calls).toEqual(get('{"text": "ROME", "flag": QUERN'));
    expect(content).toBe('true, "count": 1}}</do>');
  });

  it('stays a call where a field is not its own, which is content', () => {
    const reply =
      'So:<do>{"fn": "get", "why": ["it rains"], "id": "1", "with": {"text": "ROME"}, "sure": True}</do>Done.';
    expect(read('JSON in a tag', reply)).toMatchObject({
      content: 'So:\n"why": ["it rains"]\n"sure": True\nDone.',
      calls: get('{"text": "ROME"}'),
    });
  });

  it('is no call where such a field may be the arguments', () => {
    const reply = '<do>{"fn": "get", "wiht": {"text": "ROME"}}</do>';
    expect(read('JSON in a tag', reply)).toMatchObject({ content: reply, calls: [] });
    expect(read('JSON in a tag', '<do>{"id": "1", "fn": "get"}</do>').calls).toEqual(get('{}'));
  });

  it('stays a call where an id or the kind of a value is none, which is content', () => {
    const ids = '<|cs|><|c|>let me see<|n|>get<|w|>{"text": "ROME"}<|e|><|es|>';
    expect(read('the name in front, with an id', ids)).toMatchObject({
      content: 'let me see\n',
      calls: get('{"text": "ROME"}'),
    });
    const kinds = '<call get><p text kind=prose>ROME</p><p count kind=integer>1</p></call>';
    const { content, calls } = read('parameters that say what they are', kinds);
    expect({ content, calls }).toEqual({ content: 'prose\n', calls: get('{"text": "ROME", "count": 1}') });
  });

  it('may end without its last brace', () => {
    const reply = '<do>{"fn": "get", "with": {"text": "ROME"}</do>';
    expect(read('JSON in a tag', reply)).toMatchObject({ content: '', calls: get('{"text": "ROME"}') });
  });

  it('keeps the marks around what does not begin', () => {
    for (const reply of ['<do>{"fm": "get", "with": {}}</do>', '</do>', '<do>get</do>', '<do><do>'])
      expect(read('JSON in a tag', reply)).toMatchObject({ content: reply, calls: [] });
  });
});

describe('a header of gpt-oss that says more than headers say', () => {
  const format = analyseTemplate("{{ '<|channel|>analysis<|message|>' }}{{ messages[0].content }}", special);
  const read = (reply: string) => readReply(format, { tools, reasoningOpen: false }, reply, [5, 9, 1]);

  it('leads where it led; the rest of it is content', () => {
    const call = '<|channel|>commentary to=functions.get now <|constrain|>json<|message|>{"text": "ROME"}<|call|>';
    expect(read(call)).toMatchObject({ content: 'now\n', calls: [{ name: 'get', arguments: '{"text": "ROME"}' }] });
    const thought = '<|channel|>analysis or so<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.';
    expect(read(thought)).toEqual({ reasoning: 'Hm.', content: 'or so\nYes.', calls: [] });
  });

  it('ends where another message begins', () => {
    const reply = '<|channel|>analysis Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.';
    expect(read(reply)).toEqual({ reasoning: '', content: '<|channel|>analysis Hm.Yes.', calls: [] });
  });
});
