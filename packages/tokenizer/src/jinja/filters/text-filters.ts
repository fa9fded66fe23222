// Filters that make texts.

import { formatPercent } from '../formats.ts';
import { jsonText } from '../json.ts';
import { printed } from '../print.ts';
import { spend } from '../spending.ts';
import { capitalized, escapedHtml, linesOf, replaced, stripped, textItems } from '../text.ts';
import { textMethod } from '../text-methods.ts';
import { isText, itemsOf, rawText, SafeText, TemplateError, Tuple, type Value } from '../values.ts';
import { atPath, type Filter, filter } from './filter.ts';

/** Text that is HTML stays so. */
const ofText = (value: Value, change: (text: string) => string): Value =>
  value instanceof SafeText ? new SafeText(change(value.text)) : change(printed(value));

const titleWord = /[^-\s({[<]+/g;

export const textFilters: Readonly<Record<string, Filter>> = {
  string: filter('string', [], (value) => ofText(value, (text) => text)),
  safe: filter('safe', [], (value) => new SafeText(printed(value))),
  escape: filter('escape', [], (value) =>
    value instanceof SafeText ? value : new SafeText(escapedHtml(printed(value))),
  ),
  forceescape: filter('forceescape', [], (value) => new SafeText(escapedHtml(printed(value)))),
  lower: filter('lower', [], (value) => ofText(value, (text) => text.toLowerCase())),
  upper: filter('upper', [], (value) => ofText(value, (text) => text.toUpperCase())),
  capitalize: filter('capitalize', [], (value) => ofText(value, capitalized)),
  title: filter('title', [], (value) => ofText(value, (text) => text.replace(titleWord, capitalized))),
  trim: filter('trim', ['chars'], (value, given) =>
    ofText(value, (text) => stripped(text, given.text('chars'), 'both')),
  ),
  replace: filter('replace', ['old', 'new', 'count'], (value, given) =>
    replaced(printed(value), printed(given.need('old')), printed(given.need('new')), given.number('count', -1)),
  ),
  indent: filter('indent', ['width', 'first', 'blank'], (value, given) => {
    const width = given.or('width', 4);
    const space = isText(width) ? rawText(width) : ' '.repeat(given.width('width', 4));
    const lines = linesOf(`${printed(value)}\n`);
    spend(0, lines.length * space.length);
    const indented = lines.map((line, i) => (i === 0 || (line === '' && !given.flag('blank')) ? line : space + line));
    return (given.flag('first') ? space : '') + indented.join('\n');
  }),
  center: filter('center', ['width'], (value, given) =>
    textMethod(printed(value), 'center')!([given.number('width', 80)], new Map()),
  ),
  truncate: filter('truncate', ['length', 'killwords', 'end', 'leeway'], (value, given) => {
    const items = [...textItems(printed(value))];
    const [length, end] = [given.number('length', 255), given.text('end') ?? '...'];
    if (items.length <= length + given.number('leeway', 5)) return items.join('');
    const cut = items.slice(0, Math.max(0, length - [...end].length)).join('');
    return (given.flag('killwords') ? cut : cut.slice(0, Math.max(0, cut.lastIndexOf(' ')) || cut.length)) + end;
  }),
  wordcount: filter('wordcount', [], (value) => printed(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
  format: (value, placed, named) => formatPercent(printed(value), named.size > 0 ? new Map(named) : new Tuple(placed)),
  join: filter('join', ['d', 'attribute'], (value, given) => {
    const at = atPath(given.get('attribute'));
    return itemsOf(value)
      .map((one) => printed(at(one)))
      .join(printed(given.or('d', '')));
  }),
  tojson: filter('tojson', ['ensure_ascii', 'indent', 'separators', 'sort_keys'], (value, given) => {
    const indent = given.or('indent', null);
    const space = indent === null ? null : isText(indent) ? rawText(indent) : ' '.repeat(given.width('indent', 0));
    const separators = given.or('separators', null);
    const [between, behindKey] = separators === null ? [space === null ? ', ' : ',', ': '] : itemsOf(separators);
    if (between === undefined || behindKey === undefined || !isText(between) || !isText(behindKey)) {
      throw new TemplateError('tojson: separators must be two texts');
    }
    return jsonText(value, {
      asciiOnly: given.flag('ensure_ascii'),
      indent: space,
      between: printed(between),
      behindKey: printed(behindKey),
      sortKeys: given.flag('sort_keys'),
    });
  }),
};
