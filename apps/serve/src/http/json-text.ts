// JSON from a client: what is no JSON is refused with its place, and so is what is nested deeper than anybody means. Templates, schemas
// and checks walk over values by calling themselves, and a stack that overflows there would be the server's fault.
import { ApiError } from '../api-error.ts';
import { jsonFault } from './json-fault.ts';

/** Schemas of tools are the deepest that clients send: some dozen. */
const maxDepth = 128;
/** Steps of a path that are shown. */
const shownSteps = 6;

/**
 * @param where the field that the text is the value of; empty for a whole body
 * @throws ApiError 400 `invalid_json`, with line, column and path; `invalid_value` for depth
 */
export function parseJson(text: string, where = ''): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const subject = where === '' ? 'The request body' : where;
    if (text.trim() === '') throw new ApiError(400, 'invalid_json', `${subject} is empty.`, paramOf(where));
    const fault = jsonFault(text);
    if (!fault) throw new ApiError(400, 'invalid_json', `${subject} is not valid JSON: ${(error as Error).message}.`);
    const path = shortPath([where, fault.path].filter((part) => part !== '').join('.'));
    const message =
      `${subject} is not valid JSON: line ${fault.line}, column ${fault.column}` +
      `${path === '' ? '' : ` (in ${path})`}: ${fault.what}.`;
    throw new ApiError(400, 'invalid_json', message, paramOf(path));
  }
  requireShallow(value, where);
  return value;
}

const paramOf = (param: string) => (param === '' ? {} : { param });

/** @throws ApiError 400 `invalid_value` naming the path to what is nested too deeply */
export function requireShallow(value: unknown, where = ''): void {
  /** Lists and objects on the way down, and how far each has been looked at. */
  const way: { readonly inner: Record<string, unknown>; readonly keys?: readonly string[]; next: number }[] = [];
  const enter = (inner: unknown): void => {
    if (typeof inner !== 'object' || inner === null) return;
    way.push({
      inner: inner as Record<string, unknown>,
      keys: Array.isArray(inner) ? undefined : Object.keys(inner),
      next: 0,
    });
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
