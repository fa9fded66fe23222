// Models write broken replies: calls that are cut, values that are none, text where none may stand. Reading one never fails and gives
// the same however the text comes in pieces; a word in the place of a value is not lost.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { analyseTemplate } from './analysis/analyse-template.ts';
import { ownTemplates } from './testing/own-templates.ts';
import { readReply } from './testing/read-reply.ts';
import { renderReply, special, tool } from './testing/render-reply.ts';

const folder = join(process.env.QUERN_DATA ?? join(import.meta.dirname, '../../../../shared/data'), 'templates');
if (!existsSync(folder)) console.warn(`Skipped: templates of known models are not at ${folder} (set QUERN_DATA).`);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jinja')) : [];
const known = files.map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

const tools = ['get', 'get_weather'].map(tool);
const said = {
  calls: [{ name: 'get_weather', args: { text: 'Paris', count: 3, flag: true, list: ['a'], deep: { b: 'c' } } }],
};
const word = 'QUERN';

it.each([...Object.entries(ownTemplates), ...known])('%s', (_, template) => {
  const format = analyseTemplate(template, special);
  const { reply, reasoningOpen } = renderReply(template, format, tools, said);
  const chat = { tools, reasoningOpen };
  const broken = fc
    .tuple(
      fc.nat(reply.length),
      fc.nat(reply.length),
      fc.constantFrom(word, ` ${word} `, `True ${word}`, `${word}"`, `}${word}`),
      fc.boolean(),
    )
    .map(([at, skip, inserted, cut]) => `${reply.slice(0, at)}${inserted}${cut ? '' : reply.slice(at + (skip % 4))}`);
  fc.assert(
    fc.property(broken, fc.array(fc.nat(9), { maxLength: 30 }), (text, pieces) => {
      const whole = readReply(format, chat, text, []);
      expect(readReply(format, chat, text, pieces)).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

it('a word in the place of a value comes with the arguments, and what is behind it as content', () => {
  const format = analyseTemplate(ownTemplates['JSON in a tag']!, special);
  const { reply } = renderReply(ownTemplates['JSON in a tag']!, format, tools, said);
  const read = readReply(format, { tools, reasoningOpen: false }, reply.replace('true', `${word} true`));
  expect(read.calls.map((call) => [call.name, call.arguments.endsWith(word)])).toEqual([['get_weather', true]]);
  expect(read.content).toContain('true, "list": ["a"]');
});
