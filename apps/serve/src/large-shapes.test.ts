// Shapes of large values end at the first fault, name it as zod does, and let others have their turn.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { anyObject, listOf, longListOf, templateVariables, tokenIds, tokensAndTexts } from './large-shapes.ts';

const element = z.looseObject({ role: z.enum(['user', 'tool']), parts: listOf(z.looseObject({ text: z.string() })) });
const good = { role: 'user', parts: [{ text: 'a' }], more: 1 };

test('a list is what zod reads, or its first fault with zod’s path', async () => {
  const plain = z.object({ list: z.array(element) });
  const long = z.object({ list: longListOf(element) });
  const lists: unknown[] = [
    [good, good],
    [],
    [good, { ...good, role: 'x' }, {}],
    [{ ...good, parts: [{ text: 'a' }, { text: 1 }] }, {}],
    [good, null],
    'none',
    undefined,
  ];
  for (const list of lists) {
    const wanted = plain.safeParse({ list });
    const found = await long.safeParseAsync({ list });
    expect(found.data, JSON.stringify(list)).toEqual(wanted.data);
    expect(found.error?.issues.length).toBe(wanted.success ? undefined : 1);
    expect(found.error?.issues[0]).toMatchObject(
      wanted.success ? {} : { path: wanted.error.issues[0]!.path, message: wanted.error.issues[0]!.message },
    );
  }
});

test('others have their turn in a long list, and nothing behind a fault is looked at', async () => {
  let turns = 0;
  const turn = (): void => {
    turns++;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  let seen = 0;
  const counted = z.unknown().refine((value) => ++seen > 0 && value !== 'bad');
  const list = Array.from({ length: 30_000 }, () => 'good');
  expect((await longListOf(counted).safeParseAsync(list)).data).toEqual(list);
  clearImmediate(next);
  expect(turns).toBeGreaterThan(5);
  seen = 0;
  expect(listOf(counted).safeParse(['good', 'bad', 'good']).success).toBe(false);
  expect(seen).toBe(2);
});

test.each([
  [anyObject, [{}, { a: null }], [[], null, 'a', 1]],
  [
    templateVariables,
    [{}, { a: 1 }, { tools: null, add_generation_prompt: true }],
    [
      [],
      { messages: [] },
      { tools: [] },
      { add_generation_prompt: false },
      Object.fromEntries(Array.from({ length: 257 }, (_, i) => [i, 1])),
    ],
  ],
  [tokenIds, [[], [0, 5]], [[-1], [0.5], ['1'], [null], 'a', { 0: 1 }]],
  [tokensAndTexts, [[], [0, 'a', '']], [[-1], [null], [{}], 'a']],
] as const)('%#', (shape, right, wrong) => {
  for (const value of right) expect(shape.safeParse(value).data).toBe(value);
  for (const value of wrong) expect(shape.safeParse(value).success, JSON.stringify(value)).toBe(false);
});
