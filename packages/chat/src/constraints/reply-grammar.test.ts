import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyseTemplate } from '../analysis/analyse-template.ts';
import type { ToolDefinition } from '../format.ts';
import { matched, randomText } from '../testing/byte-matcher.ts';
import { ownTemplates } from '../testing/own-templates.ts';
import { readReply } from '../testing/read-reply.ts';
import { renderReply, special, tool } from '../testing/render-reply.ts';
import { type ReplyConstraint, replyGrammar } from './reply-grammar.ts';

const root = join(import.meta.dirname, '../../../..');
const folder = join(process.env.QUERN_DATA ?? join(root, '../shared/data'), 'templates');
if (!existsSync(folder)) console.warn(`Skipped: templates of known models are not at ${folder} (set QUERN_DATA).`);
const known = [
  'GLM-4.6',
  'Qwen3-Coder',
  'Qwen-Qwen3-0.6B',
  'moonshotai-Kimi-K2',
  'deepseek-ai-DeepSeek-V3.1',
  'mistralai-Mistral-Nemo-Instruct-2407',
];
const files = existsSync(folder)
  ? readdirSync(folder).filter((name) => known.includes(name.replace('.jinja', '')))
  : [];
const templates = [
  ...Object.entries(ownTemplates),
  ...files
    .filter((name) => name.endsWith('.jinja'))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const),
];
const base: ReplyConstraint = {
  tools: ['get', 'get_weather'].map(tool),
  choice: 'required',
  parallel: true,
  reasoningOpen: false,
};
const calls = [
  { name: 'get_weather', args: { text: 'Zürich "x"', count: -3, flag: true, list: ['a'], deep: { b: 'c' } } },
  { name: 'get', args: { text: '' } },
];

describe.each(templates)('replyGrammar of %s', (_, template) => {
  const format = analyseTemplate(template, special);

  it('takes what the template writes', () => {
    const { reply: written, reasoningOpen } = renderReply(template, format, base.tools, { calls });
    const reply = written.trimEnd();
    // Calls without a mark are not told from answers.
    const marked = format.recipients || format.calls!.section.open || format.calls!.open;
    for (const choice of ['required', ...(marked ? (['auto'] as const) : [])] as const)
      expect(matched(replyGrammar(format, { ...base, choice, reasoningOpen })!, reply)).toEqual({
        begins: reply,
        whole: true,
      });
    const one = replyGrammar(format, { ...base, reasoningOpen, parallel: false })!;
    expect(matched(one, reply).whole).toBe(false);
    const named = replyGrammar(format, { ...base, reasoningOpen, choice: { name: 'get' } })!;
    expect(matched(named, reply).whole).toBe(false);
  });

  it('begins with reasoning only where it may', () => {
    const { reply, reasoningOpen } = renderReply(template, format, base.tools, { calls });
    if (!format.reasoning || format.channels || reasoningOpen) return;
    const { open, close } = format.reasoning;
    // Some templates write an empty thought in front of calls.
    const begun = reply.trimStart().startsWith(open.trim());
    const thought = begun ? reply.trimEnd() : `${open}hm${close}\n${reply.trimEnd()}`;
    expect(matched(replyGrammar(format, base)!, thought).whole).toBe(true);
    const held = matched(replyGrammar(format, { ...base, mayReason: false })!, thought);
    expect(open.trimStart().startsWith(held.begins.trimStart())).toBe(true);
    if (begun) return;
    expect(matched(replyGrammar(format, { ...base, mayReason: false })!, reply.trimEnd()).whole).toBe(true);
  });

  it('takes no arguments that the schema forbids', () => {
    const wrong = [{ name: 'get_weather', args: { text: 'x', count: 'many' } }];
    const { reply, reasoningOpen } = renderReply(template, format, base.tools, { calls: wrong });
    expect(matched(replyGrammar(format, { ...base, reasoningOpen })!, reply).whole).toBe(false);
  });

  it('refuses arguments that are no object by their schema', () => {
    const grammarOf = (type: unknown) =>
      replyGrammar(format, { ...base, tools: [{ type: 'function', function: { name: 'f', parameters: { type } } }] });
    for (const type of ['array', 'string', ['array', 'null']])
      expect(() => grammarOf(type)).toThrow(expect.objectContaining({ code: 'schema-unsupported' }));
    expect(() => grammarOf(['object', 'null'])).not.toThrow();
  });

  it('leaves nothing to write but calls that are valid, and that are read as calls', () => {
    const parameters = {
      type: 'object',
      properties: {
        unit: { enum: ['celsius', 'fahrenheit'] },
        days: { type: 'integer', minimum: 1, maximum: 14 },
        tags: { type: 'array', items: { type: 'string', maxLength: 3 }, maxItems: 2 },
        exact: { type: 'boolean' },
      },
      required: ['unit', 'days'],
      additionalProperties: false,
    };
    const tools: ToolDefinition[] = [{ type: 'function', function: { name: 'forecast', parameters } }];
    const valid = new Ajv().compile(parameters);
    const source = replyGrammar({ ...format, reasoning: undefined }, { ...base, tools })!;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const next = () => numbers.next().value as number;
        const text = randomText(source, (allowed, complete) => {
          if (complete && (allowed.length === 0 || next() % 3 > 0)) return undefined;
          // ASCII without white space, so that texts end.
          const plain = allowed.filter((byte) => byte > 32 && byte < 127);
          const from = plain.length > 0 ? plain : allowed;
          return from[next() % from.length];
        });
        const read = readReply(format, { tools, reasoningOpen: false }, text);
        expect(read.content).toBe('');
        expect(read.calls.length).toBeGreaterThan(0);
        for (const call of read.calls)
          expect(valid(JSON.parse(call.arguments)), `${text}\n${call.arguments}`).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe('replyGrammar', () => {
  const format = analyseTemplate(ownTemplates['JSON in a tag']!, special);
  const answer = {
    kind: 'json-schema',
    schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
  } as const;

  it('holds an answer behind the reasoning, or a call in its place', () => {
    const source = replyGrammar(format, { ...base, choice: 'auto', answer, reasoningOpen: true })!;
    expect(matched(source, 'so {"a": 1}, perhaps </muse>\n{"a": 1}').whole).toBe(true);
    expect(matched(source, 'so</muse><do>{"fn": "get", "with": {"text": "x"}}</do>').whole).toBe(true);
    expect(matched(source, 'so</muse>Here it is: {"a": 1}').whole).toBe(false);
    const closed = replyGrammar(format, { ...base, choice: 'none', answer })!;
    expect(matched(closed, '{"a": 1}').whole).toBe(true);
    expect(matched(closed, '<muse>hm</muse>{"a": 1}').whole).toBe(true);
    expect(matched(closed, '<do>{"fn": "get", "with": {"text": "x"}}</do>').whole).toBe(false);
  });

  it('takes what reasoning says of calls for reasoning, whoever opened it', () => {
    const call = '<do>{"fn": "get", "with": {"text": "x"}}</do>';
    for (const thought of ['a <do>{"fn" or so </muse>', `${call} would do</muse>`, '<do></muse>']) {
      for (const behind of ['No.', call]) {
        const auto = replyGrammar(format, { ...base, choice: 'auto' })!;
        expect(matched(auto, `<muse>${thought}${behind}`).whole).toBe(true);
        expect(matched(auto, `\n<muse>\n${thought}\n${behind}`).whole).toBe(true);
        const opened = replyGrammar(format, { ...base, choice: 'auto', reasoningOpen: true })!;
        expect(matched(opened, thought + behind).whole).toBe(true);
      }
      expect(matched(replyGrammar(format, { ...base, choice: 'auto' })!, `<muse>${thought}<do>{"fn": 1`).whole).toBe(
        false,
      );
    }
  });

  it('lets a call follow an empty answer, opened by the prompt or not, as templates write it', () => {
    const marked = { ...format, content: { open: '<say>', close: '</say>' } };
    const call = '<do>{"fn": "get", "with": {"text": "x"}}</do>';
    for (const front of ['', '<say></say>', '</say>']) {
      expect(matched(replyGrammar(marked, base)!, front + call).whole).toBe(true);
      const read = readReply(marked, { tools: base.tools, reasoningOpen: false }, front + call);
      expect(read).toMatchObject({ content: '', calls: [{ name: 'get' }] });
    }
    expect(matched(replyGrammar(marked, base)!, `<say>So.</say>${call}`).whole).toBe(false);
  });

  it('asks nothing where nothing is asked', () => {
    expect(replyGrammar(format, { ...base, choice: 'none' })).toBeUndefined();
    expect(replyGrammar(format, { ...base, tools: [], choice: 'auto' })).toBeUndefined();
  });

  describe('of parameters that are written one by one', () => {
    const lines = analyseTemplate(ownTemplates['parameters on lines']!, special);
    const python = {
      ...lines,
      calls: { ...lines.calls!, open: '<', close: '>', body: { kind: 'python', list: false } as const },
    };
    const a = {
      type: 'object',
      properties: { kind: { const: 'a' }, text: { type: 'string' } },
      required: ['kind', 'text'],
    };
    const b = { type: 'object', properties: { kind: { const: 'b' }, count: { type: 'integer' } }, required: ['kind'] };
    const toolOf = (parameters: unknown): ToolDefinition[] => [
      { type: 'function', function: { name: 'f', parameters } },
    ];
    const grammarOf = (parameters: unknown) => replyGrammar(lines, { ...base, tools: toolOf(parameters) })!;
    const written = (args: Record<string, unknown>) =>
      `<tool>\n<name=f>\n${Object.entries(args)
        .map(([key, value]) => `<p=${key}>\n${typeof value === 'string' ? value : JSON.stringify(value)}\n</p>\n`)
        .join('')}</name>\n</tool>`;

    // Whether a call is held is what a validator says of its arguments.
    it.each([
      ['anyOf', { anyOf: [a, b] }],
      ['oneOf', { oneOf: [a, b], properties: { flag: { type: 'boolean' } } }],
      [
        'allOf',
        {
          allOf: [
            a,
            { properties: { text: { minLength: 2 } } },
            { required: ['flag'], properties: { flag: { type: 'boolean' } } },
          ],
        },
      ],
      [
        'allOf with others forbidden',
        { allOf: [{ properties: { kind: { const: 'a' }, text: {} }, additionalProperties: false }, a] },
      ],
      ['$ref', { $ref: '#/$defs/two', $defs: { one: a, two: { anyOf: [{ $ref: '#/$defs/one' }, { allOf: [b] }] } } }],
      ['an object or nothing', { anyOf: [a, { type: 'null' }] }],
      [
        'required alone',
        {
          type: 'object',
          properties: { kind: { enum: ['a', 'b'] } },
          anyOf: [{ required: ['kind'] }, { required: ['text'], properties: { text: { type: 'string' } } }],
        },
      ],
    ])('%s', (_, parameters) => {
      const valid = new Ajv({ strict: false }).compile(parameters);
      const source = grammarOf(parameters);
      const parts = { kind: ['a', 'b'], text: ['x', 'xy', '5'], count: [3], flag: [true] };
      let held = 0;
      let all: Record<string, unknown>[] = [{}];
      for (const [name, values] of Object.entries(parts))
        all = all.flatMap((args) => [args, ...values.map((value) => ({ ...args, [name]: value }))]);
      for (const args of all) {
        const text = written(args);
        if (!matched(source, text).whole) continue;
        expect(valid(args), text).toBe(true);
        const { calls, content } = readReply(lines, { tools: toolOf(parameters), reasoningOpen: false }, text);
        expect({ content, args: calls.map((call) => JSON.parse(call.arguments)) }).toEqual({
          content: '',
          args: [args],
        });
        held++;
      }
      expect(held).toBeGreaterThan(0);
      expect(() => replyGrammar(python, { ...base, tools: toolOf(parameters) })).not.toThrow();
    });

    it.each([
      ['oneOf', { oneOf: [a, { properties: { text: { type: 'string' } } }] }],
      ['not', { type: 'object', not: { required: ['x'] } }],
      ['minProperties', { type: 'object', minProperties: 1, properties: { x: {} } }],
      ['anyOf', { allOf: Array.from({ length: 8 }, () => ({ anyOf: [a, b] })) }],
      ['$ref', { $ref: '#' }],
      ['type', { allOf: [a, b, { additionalProperties: false, required: ['z'] }] }],
    ])('refuses %s where it cannot hold it', (keyword, parameters) => {
      expect(() => grammarOf(parameters)).toThrow(
        expect.objectContaining({ code: 'schema-unsupported', message: expect.stringContaining(`${keyword} at #`) }),
      );
    });
  });

  it('says what it cannot hold a reply to', () => {
    const plain = analyseTemplate('{{ messages[0].content }}', special);
    expect(() => replyGrammar(plain, base)).toThrow(expect.objectContaining({ code: 'tool-calls-unknown' }));
    expect(() => replyGrammar(format, { ...base, choice: { name: 'other' } })).toThrow(
      expect.objectContaining({ code: 'tool-unknown', message: expect.stringContaining('"other"') }),
    );
  });
});
