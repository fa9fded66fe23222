// What schemas that must hold together leave of a value, as far as it is told at once: types, and properties that must be there
// and must not. Opposites multiply alternatives, and most of them contradict what they are an opposite beside.
import type { Place } from './schema.ts';
import { jsonTypes, typeNames } from './types.ts';

export interface Left {
  /** A bit for each type. */
  readonly types: number;
  readonly required: ReadonlySet<string>;
  readonly absent: ReadonlySet<string>;
}

const objects = 1 << jsonTypes.indexOf('object');
const none: ReadonlySet<string> = new Set();

export const everything: Left = { types: 2 ** jsonTypes.length - 1, required: none, absent: none };

/** What is left when `place` must hold too; undefined: nothing. */
export function narrowed(left: Left, place: Place): Left | undefined {
  const { required: names, properties } = place.schema as { required?: unknown; properties?: unknown };
  let types = left.types & typesOf(place);
  const required = Array.isArray(names) && names.length > 0 ? new Set([...left.required, ...names]) : left.required;
  const refused = Object.entries(properties ?? {}).flatMap(([name, value]) => (value === false ? [name] : []));
  const absent = refused.length > 0 ? new Set([...left.absent, ...refused]) : left.absent;
  const [few, many] = required.size < absent.size ? [required, absent] : [absent, required];
  for (const name of few) if (many.has(name)) types &= ~objects;
  return types === 0 ? undefined : { types, required, absent };
}

function typesOf(place: Place): number {
  const names = typeNames(place);
  if (!names) return everything.types;
  return names.reduce(
    (bits, name) => bits | (1 << jsonTypes.indexOf(name === 'integer' ? 'number' : (name as 'null'))),
    0,
  );
}
