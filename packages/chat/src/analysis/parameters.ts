// Calls that write their parameters between marks, from their renderings.
import { type CallFormat, keyHole, type ParametersBody } from '../format.ts';
import { jsonTypes } from '../tools.ts';
import type { CallProbes } from './call-probes.ts';
import { framingOf } from './framing.ts';
import { withHole } from './holes.ts';
import { words } from './probe.ts';
import { between, commonPrefix } from './text-parts.ts';

const number = String(words.otherValue);

export function parametersBody({ one, two, spelling, cdata }: CallProbes): CallFormat | undefined {
  const nameToKey = between(one, words.tool, words.key);
  const keyToText = between(one, words.key, words.value);
  const textToKey = between(one, words.value, words.otherKey)?.replaceAll(words.key, keyHole);
  const keyToNumber = between(one, words.otherKey, number);
  if (!nameToKey?.trim() && nameToKey !== '') return undefined;
  if (!keyToText || textToKey === undefined || !keyToNumber) return undefined;
  const back = one.slice(one.indexOf(number) + number.length).replaceAll(words.otherKey, keyHole);
  const valueClose = closeWithKey(textToKey, back);
  const keyOpen = textToKey.slice(valueClose.length);
  if (valueClose.trim() === '' || keyOpen.trim() === '' || !nameToKey.endsWith(keyOpen)) return undefined;
  const front = one.slice(0, one.indexOf(words.tool));
  const middle =
    two === undefined ? undefined : between(two, number, words.otherTool)?.replaceAll(words.otherKey, keyHole);
  const framing = framingOf(front, middle?.slice(valueClose.length), back.slice(valueClose.length));
  const otherNameToKey = two === undefined ? undefined : between(two, words.otherTool, words.key);
  return {
    ...framing,
    body: {
      kind: 'parameters',
      beforeName: [''],
      afterName: otherNameToKey?.endsWith(keyOpen)
        ? withHole(cut(nameToKey, keyOpen), cut(otherNameToKey, keyOpen))
        : [cut(nameToKey, keyOpen)],
      keyOpen: keyOpen.trimStart(),
      ...valueOpening(keyToText, keyToNumber),
      valueClose,
      spelling,
      ...(cdata && { cdata }),
    },
  };
}

const cut = (text: string, end: string): string => text.slice(0, text.length - end.length);

/** A closing tag that names the parameter is compared with the name in its hole. */
function closeWithKey(textToKey: string, back: string): string {
  const common = commonPrefix(textToKey, back);
  // What begins every tag stands behind it too; that belongs to the next one.
  const named = common.includes(keyHole) ? common.indexOf('>', common.indexOf(keyHole)) + 1 : 0;
  return named === 0 ? common : common.slice(0, named) + (/^\s+/.exec(common.slice(named))?.[0] ?? '');
}

/** Where it differs between a text and a number, the difference says what the value is. */
function valueOpening(ofText: string, ofNumber: string): Pick<ParametersBody, 'valueOpen' | 'kinds'> {
  if (ofText === ofNumber) return { valueOpen: [ofText] };
  let start = 0;
  while (ofText[start] === ofNumber[start]) start++;
  while (start > 0 && /\w/.test(ofText[start - 1]!)) start--;
  let end = 0;
  while (ofText.at(-1 - end) === ofNumber.at(-1 - end)) end++;
  while (end > 0 && /\w/.test(ofText.at(-end)!)) end--;
  const [text, other] = [ofText, ofNumber].map((one) => one.slice(start, one.length - end)) as [string, string];
  const valueOpen = [ofText.slice(0, start), ofText.slice(ofText.length - end)];
  return { valueOpen, kinds: { text, all: [...new Set([text, other, ...jsonTypes])] } };
}
