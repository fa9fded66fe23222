// JSON from a client: what is no JSON is refused with its place, and so is what is nested deeper, or made of more parts, than anybody
// means. Templates, schemas and checks walk over values by calling themselves, and a stack that overflows there would be the server's
// fault; they take microseconds for each part, on the thread that answers everybody.
import { setImmediate } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import { type JsonFault, searchFault } from './json-fault.ts';

/** Schemas of tools are the deepest that clients send: some dozen. */
const maxDepth = 128;
/**
 * Lists, objects and keys; numbers and texts in a list are none. A vocabulary of biases and the longest conversations have half of that.
 */
const maxParts = 2 ** 18;
/** Steps of a path that are shown. */
const shownSteps = 6;

/**
 * A whole body. Others are answered while the place of a fault is looked for.
 * @throws ApiError 400 `invalid_json`, with line, column and path; `invalid_value` for depth and number
 */
export async function parseBody(text: string): Promise<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const search = searchFault(text);
    let step = search.next();
    for (; !step.done; step = search.next()) await setImmediate();
    throw noJson(text, step.value, error);
  }
  requireModest(value, '');
  return value;
}

function noJson(text: string, fault: JsonFault | undefined, error: unknown): ApiError {
  if (text.trim() === '') return new ApiError(400, 'invalid_json', 'The request body is empty.');
  const subject = 'The request body is not valid JSON';
  if (!fault) return new ApiError(400, 'invalid_json', `${subject}: ${(error as Error).message}.`);
  const path = shortPath(fault.path);
  const place = `line ${fault.line}, column ${fault.column}${path === '' ? '' : ` (in ${path})`}`;
  return new ApiError(400, 'invalid_json', `${subject}: ${place}: ${fault.what}.`, paramOf(path));
}

const paramOf = (param: string) => (param === '' ? {} : { param });

/** @throws ApiError 400 `invalid_value` naming the path to what is nested too deeply, or that there are too many parts */
export function requireModest(value: unknown, where: string): void {
  let parts = 0;
  /** Lists and objects on the way down, and how far each has been looked at. */
  const way: { readonly inner: Record<string, unknown>; readonly keys?: readonly string[]; next: number }[] = [];
  const enter = (inner: unknown): void => {
    if (typeof inner !== 'object' || inner === null) return;
    const keys = Array.isArray(inner) ? undefined : Object.keys(inner);
    parts += 1 + (keys?.length ?? 0);
    if (parts > maxParts) {
      const subject = where === '' ? 'The request body' : where;
      throw new ApiError(
        400,
        'invalid_value',
        `${subject} has more than ${maxParts} lists, objects and keys.`,
        paramOf(where),
      );
    }
    way.push({ inner: inner as Record<string, unknown>, keys, next: 0 });
  };
  enter(value);
  while (way.length > 0) {
    if (way.length > maxDepth) {
      const steps = way.slice(0, -1).map(({ keys, next }) => keys?.[next - 1] ?? String(next - 1));
      const path = shortPath([where, ...steps].filter((part) => part !== '').join('.'));
      const message = `${path} is nested deeper than ${maxDepth} levels.`;
      throw new ApiError(400, 'invalid_value', message, { param: path });
    }
    const top = way.at(-1)!;
    const { inner, keys, next } = top;
    if (next >= (keys ?? (inner as unknown as unknown[])).length) {
      way.pop();
      continue;
    }
    top.next++;
    enter(inner[keys?.[next] ?? next]);
  }
}

/** The first steps of a path tell which field is meant. */
function shortPath(path: string): string {
  const steps = path.split('.');
  const short = steps.length > shownSteps ? `${steps.slice(0, shownSteps).join('.')}…` : path;
  return short.length > 200 ? `${short.slice(0, 200)}…` : short;
}
