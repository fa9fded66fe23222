// What the schemas of an alternative say of objects: properties that they name, names that nobody declared.
import {
  acceptsText,
  type CharacterAutomaton,
  complementOf,
  differenceOf,
  intersectionOf,
  textsAutomaton,
} from '../regex/automaton.ts';
import { spend } from '../work.ts';
import type { Alternative } from './alternatives.ts';
import { type AlternativesOf, namesAllowedBy, namesRefusedBy } from './names.ts';
import { patternAutomaton } from './scalars.ts';
import {
  countOf,
  type Excluding,
  inside,
  type MemberKind,
  mapOf,
  namesOf,
  type Place,
  refuse,
  someMember,
} from './schema.ts';

export interface Property {
  readonly name: string;
  readonly places: readonly Place[];
  readonly required: boolean;
}

/** Names that nobody declared, and what their values must be. */
export interface Others {
  readonly names: CharacterAutomaton;
  readonly places: readonly Place[];
}

export interface ObjectShape {
  readonly properties: readonly Property[];
  readonly others: readonly Others[];
  /** One member at least has such a name and such a value. */
  readonly some: Others | undefined;
  readonly min: number;
  readonly max: number;
}

const maxPatterns = 6;

export function objectShape(alternative: Alternative, alternativesOf: AlternativesOf): ObjectShape {
  const required = new Set(alternative.flatMap((leaf) => namesOf(leaf, 'required') ?? []));
  const names = new Set([...alternative.flatMap((leaf) => Object.keys(mapOf(leaf, 'properties') ?? {})), ...required]);
  const keyRules = alternative.flatMap((leaf) =>
    (leaf.schema as { propertyNames?: unknown }).propertyNames === undefined ? [] : [inside(leaf, 'propertyNames')],
  );
  const allowedNames = keyRules.map((rule) => namesAllowedBy(rule, alternativesOf));
  const properties = [...names].map((name): Property => {
    const places = alternative.flatMap((leaf) => placesFor(leaf, name, alternative));
    const isAllowed = allowedNames.every((allowed) => acceptsText(allowed, name));
    return { name, places: isAllowed ? places : [{ schema: false, path: '#' }], required: required.has(name) };
  });
  for (const leaf of alternative) refuseUnseen(leaf, alternative);
  return {
    properties,
    others: othersOf(alternative, names, allowedNames),
    some: someOf(alternative, alternativesOf),
    min: Math.max(0, ...alternative.map((leaf) => countOf(leaf, 'minProperties') ?? 0)),
    max: Math.min(...alternative.map((leaf) => countOf(leaf, 'maxProperties') ?? Number.POSITIVE_INFINITY)),
  };
}

const ofOtherNames = ['additionalProperties', 'patternProperties', 'propertyNames', 'unevaluatedProperties'];

/**
 * Without names that nobody declared, where properties are declared and no schema says anything of others. All that is left is valid
 * under the schema too; where something undeclared may be needed, all stays as it is.
 */
export function closedShape(shape: ObjectShape, alternative: Alternative): ObjectShape {
  const declares = alternative.some((leaf) => Object.keys(mapOf(leaf, 'properties') ?? {}).length > 0);
  const speaks = alternative.some(({ schema }) => ofOtherNames.some((keyword) => keyword in (schema as object)));
  const possible = shape.properties.filter(({ places }) => !places.some(({ schema }) => schema === false));
  const needed = shape.some !== undefined || shape.min > possible.filter(({ required }) => required).length;
  return !declares || speaks || possible.length === 0 || needed ? shape : { ...shape, others: [] };
}

/** A schema that must not hold sees nothing, and which one holds is no longer told apart here. */
function refuseUnseen(outer: Alternative[number], alternative: Alternative): void {
  const { unevaluatedProperties: rest } = outer.schema as { unevaluatedProperties?: unknown };
  if (rest === undefined || rest === true) return;
  const opposed = alternative.some(
    ({ schema, within }) => within.has(outer.schema) && ('not' in (schema as object) || 'if' in (schema as object)),
  );
  if (opposed) refuse(outer, 'unevaluatedProperties', 'beside not or if');
}

/** What several schemas ask for is looked for in one member, which is narrower than it need be where several would do. */
function someOf(alternative: Alternative, alternativesOf: AlternativesOf): Others | undefined {
  const kinds = alternative.flatMap((leaf) => {
    const kind = (leaf.schema as Excluding)[someMember];
    return kind ? [{ leaf, kind }] : [];
  });
  if (kinds.length === 0) return undefined;
  return {
    names: kinds.map(({ leaf, kind }) => namesOfKind(leaf, kind, alternativesOf)).reduce(intersectionOf),
    places: kinds.map(({ leaf, kind }) => ({ schema: kind.value, path: leaf.path })),
  };
}

function namesOfKind(
  place: Place,
  { pattern, against, except }: MemberKind,
  alternativesOf: AlternativesOf,
): CharacterAutomaton {
  const matching = (one: string): CharacterAutomaton => patternAutomaton(place, 'patternProperties', one);
  if (pattern !== undefined) return matching(pattern);
  if (against !== undefined) return namesRefusedBy({ ...place, schema: against }, alternativesOf);
  const { names = [], patterns = [] } = except ?? {};
  return patterns.map(matching).reduce(differenceOf, complementOf(textsAutomaton(names)));
}

/** What one schema asks of a property. */
function placesFor(leaf: Alternative[number], name: string, alternative: Alternative): Place[] {
  spend(1, 'the properties of objects');
  const places: Place[] = [];
  if (Object.hasOwn(mapOf(leaf, 'properties') ?? {}, name)) places.push(inside(leaf, 'properties', name));
  for (const pattern of Object.keys(mapOf(leaf, 'patternProperties') ?? {}))
    if (acceptsText(patternAutomaton(leaf, 'patternProperties', pattern), name))
      places.push(inside(leaf, 'patternProperties', pattern));
  const schema = leaf.schema as { additionalProperties?: unknown; unevaluatedProperties?: unknown };
  if (places.length === 0 && schema.additionalProperties !== undefined)
    places.push(inside(leaf, 'additionalProperties'));
  if (places.length === 0 && schema.unevaluatedProperties !== undefined && !evaluates(alternative, leaf, name))
    places.push(inside(leaf, 'unevaluatedProperties'));
  return places;
}

/** Whether a schema that stands in `outer` says something about a property. */
function evaluates(alternative: Alternative, outer: Alternative[number], name: string): boolean {
  spend(alternative.length, 'the properties of objects');
  return alternative.some((leaf) => {
    if (leaf === outer || !leaf.within.has(outer.schema)) return false;
    if (Object.hasOwn(mapOf(leaf, 'properties') ?? {}, name)) return true;
    if ((leaf.schema as { additionalProperties?: unknown }).additionalProperties !== undefined) return true;
    return Object.keys(mapOf(leaf, 'patternProperties') ?? {}).some((pattern) =>
      acceptsText(patternAutomaton(leaf, 'patternProperties', pattern), name),
    );
  });
}

/** Names by which of the patterns they match. */
function othersOf(
  alternative: Alternative,
  declared: ReadonlySet<string>,
  allowed: readonly CharacterAutomaton[],
): Others[] {
  const patterns = new Map<string, CharacterAutomaton>();
  for (const leaf of alternative)
    for (const pattern of Object.keys(mapOf(leaf, 'patternProperties') ?? {}))
      patterns.set(pattern, patternAutomaton(leaf, 'patternProperties', pattern));
  const placesOf = (matched: ReadonlySet<string>): Place[] =>
    alternative.flatMap((leaf) => placesOfMatched(leaf, matched, alternative));
  if (patterns.size > maxPatterns) refuse(alternative[0]!, 'patternProperties', `more than ${maxPatterns} patterns`);
  // Most often nothing else is allowed: no need to tell which names that would be.
  if (patterns.size === 0 && placesOf(new Set()).some(({ schema }) => schema === false)) return [];
  let groups: { names: CharacterAutomaton; matched: Set<string> }[] = [
    { names: allowed.reduce(intersectionOf, complementOf(textsAutomaton([...declared]))), matched: new Set() },
  ];
  for (const [pattern, automaton] of patterns)
    groups = groups.flatMap(({ names, matched }) => [
      { names: intersectionOf(names, automaton), matched: new Set([...matched, pattern]) },
      { names: differenceOf(names, automaton), matched },
    ]);
  return groups
    .filter(({ names }) => names.states.some(({ final }) => final))
    .map(({ names, matched }) => ({ names, places: placesOf(matched) }))
    .filter(({ places }) => !places.some(({ schema }) => schema === false));
}

function placesOfMatched(leaf: Alternative[number], matched: ReadonlySet<string>, alternative: Alternative): Place[] {
  const own = Object.keys(mapOf(leaf, 'patternProperties') ?? {}).filter((pattern) => matched.has(pattern));
  if (own.length > 0) return own.map((pattern) => inside(leaf, 'patternProperties', pattern));
  const schema = leaf.schema as { additionalProperties?: unknown; unevaluatedProperties?: unknown };
  if (schema.additionalProperties !== undefined) return [inside(leaf, 'additionalProperties')];
  if (schema.unevaluatedProperties === undefined) return [];
  const evaluated = alternative.some(
    (other) =>
      other !== leaf &&
      other.within.has(leaf.schema) &&
      ((other.schema as { additionalProperties?: unknown }).additionalProperties !== undefined ||
        Object.keys(mapOf(other, 'patternProperties') ?? {}).some((pattern) => matched.has(pattern))),
  );
  return evaluated ? [] : [inside(leaf, 'unevaluatedProperties')];
}
