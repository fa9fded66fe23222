// What is no JSON is refused with its place; the truth about what is JSON is JSON.parse.
import { expect, test } from 'vitest';
import { ApiError } from '../api-error.ts';
import { searchFault } from './json-fault.ts';
import { parseBody, requireModest } from './json-text.ts';
import { atOnce } from './pauses.ts';

async function refusalOf(text: string): Promise<ApiError> {
  try {
    await parseBody(text);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error(`not refused: ${text.slice(0, 100)}`);
}

test.each([
  ['{"messages": [', 'line 1, column 15 (in messages.0): expected a value, found the end', 'messages.0'],
  ['{"a": 1,}', 'line 1, column 9: expected a key in double quotes, found "}"', null],
  ['{"a": [1, 2,]}', 'line 1, column 13 (in a.2): expected a value, found "]"', 'a.2'],
  ["{'a': 1}", 'column 2: expected a key in double quotes, found "\'"', null],
  ['{"a" 1}', 'column 6 (in a): expected ":" behind a key, found "1"', 'a'],
  ['{"a": 1 "b": 2}', 'column 9 (in a): expected "," or "}", found "\\""', 'a'],
  ['{"a": NaN}', '(in a): expected a value, found "N"', 'a'],
  ['{"a": undefined}', '(in a): expected a value, found "u"', 'a'],
  ['{"a": 01}', '(in a): expected a value, found "0"', 'a'],
  ['{"a": 1.}', '(in a): expected a value, found "1"', 'a'],
  ['{"a": +1}', '(in a): expected a value, found "+"', 'a'],
  ['{"a": tru}', '(in a): expected a value, found "t"', 'a'],
  ['{"a": "x\ny"}', '(in a): a string has a control character', 'a'],
  ['{"a": "\\x41"}', '(in a): there is an escape that JSON does not have', 'a'],
  ['{"a": "x', '(in a): a string is not closed', 'a'],
  ['{"a": 1} {"b": 2}', 'column 10: expected the end, found "{"', null],
  ['{"a": {"b": [{"c": /* */ 1}]}}', '(in a.b.0.c): expected a value, found "/"', 'a.b.0.c'],
  ['{\n  "a": 1,\n  b: 2\n}', 'line 3, column 3: expected a key', null],
  ['model=x&prompt=y', 'line 1, column 1: expected a value, found "m"', null],
  ['', 'The request body is empty', null],
  [' \n', 'The request body is empty', null],
])('%j', async (text, message, param) => {
  const refusal = await refusalOf(text);
  expect(refusal).toMatchObject({ status: 400, code: 'invalid_json', param });
  expect(refusal.message).toContain(message);
});

test('a fault is found where JSON.parse finds one, and nowhere else', () => {
  const seed = '{"a":[1,-2.5e3,true,null,"\\u00e9x\\n",{"b":{}},[]],"c":"d"}';
  const signs = [...'{}[]",:\\ 01.-+eEtu\n\u0001'];
  for (let at = 0; at < seed.length; at++) {
    const changed = [
      seed.slice(0, at) + seed.slice(at + 1),
      ...signs.map((sign) => seed.slice(0, at) + sign + seed.slice(at)),
      ...signs.map((sign) => seed.slice(0, at) + sign + seed.slice(at + 1)),
    ];
    for (const text of changed) {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(atOnce(searchFault(text)) === undefined, text).toBe(isJson);
    }
  }
});

const nested = (depth: number): string => `{"kwargs":${'{"x":['.repeat(depth)}1${']}'.repeat(depth)}}`;

test('what is nested too deeply is refused with its path, however deep', async () => {
  expect(await parseBody(nested(60))).toMatchObject({ kwargs: { x: [expect.anything()] } });
  for (const depth of [100, 10_000, 200_000]) {
    const refusal = await refusalOf(nested(depth));
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_value', param: 'kwargs.x.0.x.0.x…' });
    expect(refusal.message).toBe('kwargs.x.0.x.0.x… is nested deeper than 128 levels.');
  }
  // A text with brackets is no nest.
  expect(await parseBody(JSON.stringify([nested(200_000)]))).toEqual([nested(200_000)]);
});

const range = <Item>(count: number, item: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i));

test('what has more parts than anybody means is refused, before anything is made of it', async () => {
  const many = 2 ** 18;
  const kinds = { '[]': many, '{}': many, '{"a":true}': many / 2, '"x"': many, '1': 4 * many, null: 4 * many };
  for (const [part, count] of Object.entries(kinds)) {
    const refusal = await refusalOf(`[${`${part},`.repeat(count - 1)}${part}]`);
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_value' });
    expect(refusal.message).toMatch(/^The request body has more than 262144 lists, objects, keys and texts/);
  }
  // The list is one more, and a number where the counting pauses may count twice.
  const numbers = `[${'-1.5e-3,'.repeat(4 * many - 64)}0]`;
  expect(await parseBody(numbers)).toHaveLength(4 * many - 63);
});

test('keys that are new in their place are counted, those that come again are not', async () => {
  const most = 2 ** 14;
  const object = (count: number) => Object.fromEntries(range(count, (i) => [`"k\\${i}`, 0]));
  expect(Object.keys((await parseBody(JSON.stringify(object(most)))) as object)).toHaveLength(most);
  const apart = range(most + 1, (i) => ({ [`k${i}`]: 0 }));
  const nestedKeys = range(most / 8 + 1, (i) => ({ [`k${i}`]: { [`k${i}`]: range(7, (j) => ({ [`k${j}`]: i })) } }));
  const letters = [...'abcdefghijklmno'];
  const orders = range(most + 2, (i) =>
    Object.fromEntries(letters.filter((_, j) => (i >> j) % 2).map((key) => [key, 0])),
  );
  for (const value of [object(most + 1), apart, orders]) {
    const refusal = await refusalOf(JSON.stringify(value));
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_value' });
    expect(refusal.message).toBe('The request body has more than 16384 different keys.');
  }
  expect(await parseBody(JSON.stringify(nestedKeys))).toEqual(nestedKeys);
  expect(() => requireModest(JSON.stringify(apart), 'tools.0')).toThrow('tools.0 has more than 16384 different keys.');
});

test('what the largest requests have is let in', async () => {
  const vocabulary = Object.fromEntries(range(2 ** 18, (i) => [i, -0.5]));
  expect(await parseBody(JSON.stringify({ logit_bias: vocabulary }))).toEqual({ logit_bias: vocabulary });
  const turn = (i: number) => [
    { role: 'user', content: [{ type: 'text', text: `turn ${i}` }] },
    { role: 'assistant', content: `"answer" {[${i}, \\` },
    {
      role: 'assistant',
      tool_calls: [{ id: `${i}`, type: 'function', function: { name: 'f', arguments: `{"a":${i}}` } }],
    },
  ];
  const messages = range(7000, turn).flat();
  expect(await parseBody(JSON.stringify({ messages }))).toEqual({ messages });
});

test('equal keys: the last one counts, as everywhere', async () => {
  expect(await parseBody('{"a":1,"a":2}')).toEqual({ a: 2 });
  expect(Object.keys((await parseBody('{"__proto__":{"x":1}}')) as object)).toEqual(['__proto__']);
});

test('long texts and lists take no more than their length', async () => {
  const long = 'one two \\n'.repeat(1_000_000);
  expect((await refusalOf(`{"a":"${long}",}`)).message).toContain('expected a key');
  expect((await refusalOf(`{"a":"${long}`)).message).toContain('not closed');
  const numbers = `[${'1,'.repeat(1_000_000)}1`;
  let turns = 0;
  const turn = (): void => void (++turns && (next = setImmediate(turn)));
  let next = setImmediate(turn);
  expect(await refusalOf(numbers)).toMatchObject({ code: 'invalid_json', param: '1000000' });
  clearImmediate(next);
  // Others had their turn while the fault was looked for.
  expect(turns).toBeGreaterThan(50);
  expect(await parseBody(`${numbers}]`)).toHaveLength(1_000_001);
});
