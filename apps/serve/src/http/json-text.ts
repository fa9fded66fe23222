// JSON from a client: what is no JSON is refused with its place, and so is what is nested deeper, or made of more parts, than anybody
// means. Templates, schemas and checks walk over values by calling themselves, and a stack that overflows there would be the server's
// fault; they take microseconds for each part, on the thread that answers everybody, and so does JSON.parse itself.
import { setImmediate } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import { type JsonFault, searchFault } from './json-fault.ts';
import { type JsonExcess, type JsonLimits, type JsonSum, measureJson } from './json-size.ts';
import { atOnce, withPauses } from './pauses.ts';

/** Schemas of tools are the deepest that clients send: some dozen. A vocabulary of biases and the longest conversations have half of the parts. */
const limits: JsonLimits = { depth: 128, parts: 2 ** 18, newKeys: 2 ** 14 };
/** Parsed in some milliseconds. */
const longText = 2 ** 18;
/** Steps of a path that are shown. */
const shownSteps = 6;

/**
 * A whole body. Others are answered while it is measured, and while the place of a fault is looked for.
 * @throws ApiError 400 `invalid_json`, with line, column and path; `invalid_value` for depth and number
 */
export async function parseBody(text: string): Promise<unknown> {
  const excess = await withPauses(measureJson(text, limits));
  if (excess) throw tooMuch(excess, '');
  try {
    const value: unknown = JSON.parse(text);
    // What it is made into takes its own time.
    if (text.length > longText) await setImmediate();
    return value;
  } catch (error) {
    throw noJson(text, await withPauses(searchFault(text)), error);
  }
}

/**
 * For a field that is itself a text of JSON, before it is parsed.
 * @param where the field
 * @param sum with other such fields: together they may have no more than a body
 * @throws ApiError 400 `invalid_value` naming the path to what is nested too deeply, or that there are too many parts
 */
export function requireModest(text: string, where: string, sum?: JsonSum): void {
  const excess = atOnce(measureJson(text, limits, sum));
  if (excess) throw tooMuch(excess, where);
}

export const isModest = (text: string): boolean => atOnce(measureJson(text, limits)) === undefined;

function tooMuch(excess: JsonExcess, where: string): ApiError {
  if (excess.of === 'depth') {
    const path = shortPath([where, excess.path].filter((part) => part !== '').join('.'));
    const message = `${path} is nested deeper than ${limits.depth} levels.`;
    return new ApiError(400, 'invalid_value', message, { param: path });
  }
  const what = {
    parts: `${limits.parts} lists, objects, keys and texts (four numbers count as one)`,
    newKeys: `${limits.newKeys} different keys`,
  }[excess.of];
  const subject = where === '' ? 'The request body' : where;
  return new ApiError(400, 'invalid_value', `${subject} has more than ${what}.`, paramOf(where));
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

/** The first steps of a path tell which field is meant. */
function shortPath(path: string): string {
  const steps = path.split('.');
  const short = steps.length > shownSteps ? `${steps.slice(0, shownSteps).join('.')}…` : path;
  return short.length > 200 ? `${short.slice(0, 200)}…` : short;
}
