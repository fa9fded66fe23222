// Shapes of values that may be large. zod copies every object and notes every fault; of a body with a quarter of a million parts that
// holds up all other requests for seconds. These copy no more than they must, and end at the first fault, which is all that a client is told.
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean => value === undefined || value === null;

/** An object of any values, as it is. */
export const anyObject = z.custom<Record<string, unknown>>(isObject, 'Invalid input: expected an object');

/** Templates read a handful; every one is handed from scope to scope. */
const maxVariables = 256;
/** What the template gets from the request itself: a variable of the name would have no effect. */
const ownVariables: readonly [name: string, isUsual: (value: unknown) => boolean][] = [
  ['messages', () => false],
  ['tools', () => false],
  ['add_generation_prompt', (value) => value === true],
];
export const templateVariables = anyObject
  .refine(
    (variables) => Object.keys(variables).length <= maxVariables,
    `a template gets ${maxVariables} variables at most`,
  )
  .refine(
    (variables) => ownVariables.every(([name, isUsual]) => isEmpty(variables[name]) || isUsual(variables[name])),
    'messages, tools and add_generation_prompt are fields of the request, not variables',
  );

/** Of a list that may not be empty. */
export const isFilled = (list: readonly unknown[]): boolean => list.length > 0;

/** A list, up to its first element that is not of the shape. */
export const listOf = <Shape extends z.ZodType>(shape: Shape) =>
  z.array(z.unknown()).transform((list, context): z.infer<Shape>[] => {
    const read: z.infer<Shape>[] = [];
    for (const element of list) if (!readInto(read, shape, element, context)) return z.NEVER;
    return read;
  });

/** Elements that are looked at before others have their turn: some milliseconds. */
const slice = 4096;

/** The same of a list of the body itself, for `safeParseAsync`: others are answered in between. */
export const longListOf = <Shape extends z.ZodType>(shape: Shape) =>
  z.array(z.unknown()).transform(async (list, context): Promise<z.infer<Shape>[]> => {
    const read: z.infer<Shape>[] = [];
    for (const element of list) {
      if (read.length > 0 && read.length % slice === 0) await setImmediate();
      if (!readInto(read, shape, element, context)) return z.NEVER;
    }
    return read;
  });

function readInto<Shape extends z.ZodType>(
  read: z.infer<Shape>[],
  shape: Shape,
  element: unknown,
  context: { addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void },
): boolean {
  const parsed = shape.safeParse(element);
  if (parsed.success) return read.push(parsed.data) > 0;
  const [{ message, path }] = parsed.error.issues as [z.core.$ZodIssue];
  context.addIssue({ code: 'custom', message, path: [read.length, ...path] });
  return false;
}

export const isTokenId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const tokenIds = z.custom<number[]>(
  (value) => Array.isArray(value) && value.every(isTokenId),
  'Invalid input: expected a list of token ids',
);

/** Token ids and texts, mixed. */
export const tokensAndTexts = z.custom<(number | string)[]>(
  (value) => Array.isArray(value) && value.every((part) => typeof part === 'string' || isTokenId(part)),
  'Invalid input: expected a list of token ids and texts',
);
