// What is no JSON is refused with its place; the truth about what is JSON is JSON.parse.
import { expect, test } from 'vitest';
import { ApiError } from '../api-error.ts';
import { type JsonFault, searchFault } from './json-fault.ts';
import { parseBody } from './json-text.ts';

function faultOf(text: string): JsonFault | undefined {
  const search = searchFault(text);
  let step = search.next();
  while (!step.done) step = search.next();
  return step.value;
}

async function refusalOf(text: string): Promise<ApiError> {
  try {
    await parseBody(text);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error(`not refused: ${text}`);
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
      expect(faultOf(text) === undefined, text).toBe(isJson);
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
  expect((await refusalOf(nested(200_000).slice(0, -1))).code).toBe('invalid_json');
});

test('what has more parts than anybody means is refused; numbers and texts in a list are as many as fit', async () => {
  const many = 2 ** 18;
  for (const text of [`[${'[],'.repeat(many)}[]]`, `[${'{"a":1},'.repeat(many / 2)}{}]`])
    expect(await refusalOf(text)).toMatchObject({ status: 400, code: 'invalid_value' });
  const keys = Object.fromEntries(Array.from({ length: many + 1 }, (_, i) => [i, 0]));
  expect((await refusalOf(JSON.stringify({ logit_bias: keys }))).message).toMatch(/more than 262144/);
  expect(await parseBody(`[${'"x",'.repeat(2 * many)}"x"]`)).toHaveLength(2 * many + 1);
});

test('equal keys: the last one counts, as everywhere', async () => {
  expect(await parseBody('{"a":1,"a":2}')).toEqual({ a: 2 });
  expect(Object.keys((await parseBody('{"__proto__":{"x":1}}')) as object)).toEqual(['__proto__']);
});

test('long texts and lists take no more than their length', async () => {
  const long = 'one two \\n'.repeat(1_000_000);
  expect((await refusalOf(`{"a":"${long}",}`)).message).toContain('expected a key');
  expect((await refusalOf(`{"a":"${long}`)).message).toContain('not closed');
  const numbers = `[${'1,'.repeat(3_000_000)}1`;
  let turns = 0;
  const turn = (): void => void (++turns && (next = setImmediate(turn)));
  let next = setImmediate(turn);
  expect(await refusalOf(numbers)).toMatchObject({ code: 'invalid_json', param: '3000000' });
  clearImmediate(next);
  // Others had their turn while the fault was looked for.
  expect(turns).toBeGreaterThan(100);
  expect(await parseBody(`${numbers}]`)).toHaveLength(3_000_001);
});
