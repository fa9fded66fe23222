// The truth about a format is its template: what it writes for a message must be read back as that message, however the text
// is cut.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyseTemplate } from './analysis/analyse-template.ts';
import { ownTemplates } from './testing/own-templates.ts';
import { readReply } from './testing/read-reply.ts';
import { renderReply, type Said, special, tool } from './testing/render-reply.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(process.env.QUERN_DATA ?? join(root, '../shared/data'), 'templates');
if (!existsSync(folder)) console.warn(`Skipped: templates of known models are not at ${folder} (set QUERN_DATA).`);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jinja')) : [];
const knownTemplates = files.map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

const names = ['get', 'get_weather', 'search.v2-x'];
const text = fc.string({ unit: fc.constantFrom(...'ab \n",:{}[]=é漢😀()/T') });
const prose = fc.string({ unit: fc.constantFrom(...'XYZ ,.\n"é{'), maxLength: 30 }).map((rest) => `W${rest}W`);
const args = fc.record(
  {
    text,
    count: fc.integer(),
    flag: fc.boolean(),
    list: fc.array(text, { maxLength: 3, minLength: 1 }),
    deep: fc.dictionary(fc.constantFrom('a', 'b_c'), fc.oneof(fc.integer(), text), {
      minKeys: 1,
      noNullPrototype: true,
    }),
  },
  { requiredKeys: ['text'], noNullPrototype: true },
);
const call = fc.record({ name: fc.constantFrom(...names), args }, { noNullPrototype: true });
const cuts = fc.array(fc.nat(12), { maxLength: 40 });

/** Templates that write what cannot be read: texts of Python without escapes. */
const ambiguous = ['LFM2.5'];

describe('a reply that the template itself wrote', () => {
  it.each([...Object.entries(ownTemplates), ...knownTemplates])('%s', (name, template) => {
    const format = analyseTemplate(template, special);
    const tools = names.map(tool);
    const check = (said: Said, pieces: number[]) => {
      const { reply, reasoningOpen } = renderReply(template, format, tools, said);
      // A template may leave out what was said (the reasoning of an earlier turn).
      const shown = (part: string | undefined) => (part !== undefined && reply.includes(part) ? part : '');
      const read = readReply(format, { tools, reasoningOpen }, reply, pieces);
      expect(read.calls.map(({ name, arguments: json }) => ({ name, args: JSON.parse(json) }))).toEqual(said.calls);
      expect({ reasoning: read.reasoning, content: read.content.trim() }).toEqual({
        reasoning: shown(said.reasoning),
        content: shown(said.content),
      });
    };
    fc.assert(
      fc.property(prose, fc.option(prose, { nil: undefined }), cuts, (content, reasoning, pieces) => {
        check({ content, ...(format.reasoning && { reasoning: reasoning && `R${reasoning}R` }), calls: [] }, pieces);
      }),
      { numRuns: 30 },
    );
    if (!format.calls || ambiguous.some((one) => name.startsWith(one)) || !writesCalls(template)) return;
    const many = fc.array(call, { minLength: 1, maxLength: format.calls.several ? 3 : 1 });
    fc.assert(
      fc.property(many, cuts, (calls, pieces) => check({ calls }, pieces)),
      { numRuns: 30 },
    );
  });
});

/** Formats that come from a row of the table: their templates write no calls. */
const writesCalls = (template: string): boolean => /tool_calls|function\.arguments/.test(template);

it.skipIf(files.length === 0)('a template that writes no calls has those that its model was trained on', () => {
  const template = readFileSync(join(folder, 'HuggingFaceTB-SmolLM3-3B.jinja'), 'utf8');
  const format = analyseTemplate(template, special);
  const options = { tools: [tool('get')], reasoningOpen: false };
  const reply = '<think>\nHm.\n</think>\n<tool_call>{"name": "get", "arguments": {"text": "a"}}</tool_call>';
  expect(readReply(format, options, reply, [3])).toMatchObject({
    ...{ reasoning: 'Hm.', content: '' },
    calls: [{ name: 'get', arguments: '{"text": "a"}' }],
  });
});
