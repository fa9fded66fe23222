// The parameters that a tool's schema lets a call have, for formats that write them one by one. Schemas that hold together in
// place ($ref, allOf) are one list of parameters; of several that may hold (anyOf, oneOf) each has a list.
import { QuernError } from '@quern/errors';
import type { GrammarSource } from '@quern/grammar';
import type { ToolDefinition } from '../format.ts';
import { record, referenced } from '../tools.ts';
import { argumentsSchema } from './arguments-schema.ts';

export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  /** What its value must be: the schema at a place of a document. */
  readonly value: Pick<Extract<GrammarSource, { kind: 'json-schema' }>, 'schema' | 'at'>;
}

/** The places (JSON pointers) of schemas that must all hold. */
type Together = readonly string[];

const maxLists = 64;
const maxSchemas = 500;
/** They ask for more than which parameters there are and what each is. */
const refused = [
  ...['enum', 'const', 'not', 'if', 'dependentRequired', 'dependentSchemas', 'dependencies'],
  ...['patternProperties', 'propertyNames'],
];

/** @throws QuernError `schema-unsupported` where the schema asks for what lists cannot say */
export function parameterLists(tool: ToolDefinition): readonly (readonly Parameter[])[] {
  const root = argumentsSchema(tool);
  const ways = placesTogether(root, '', { schemas: 0 });
  const lists = ways.map((places) => listOf(root, places)).filter((list) => list !== undefined);
  if (lists.length === 0) refuse('type', '', 'no object satisfies all of it');
  return lists;
}

function refuse(keyword: string, at: string, why: string): never {
  const message = `The JSON schema cannot be enforced: ${keyword} at #${at}: ${why}.`;
  throw new QuernError('schema-unsupported', message, { remedy: 'List the properties at the top of the schema.' });
}

/** All ways to satisfy the schema at a place. */
function placesTogether(root: unknown, at: string, seen: { schemas: number }): Together[] {
  const given = referenced(`#${at}`, root);
  if (given === true) return [[]];
  const schema = record(given);
  if (!schema || seen.schemas++ > maxSchemas) refuse('$ref', at, 'a schema of an object is needed here');
  const keyword = refused.find((one) => one in schema);
  if (keyword) refuse(keyword, at, notHeld);
  let ways: Together[] = [[at]];
  const both = (others: readonly Together[]): void => {
    ways = ways.flatMap((way) => others.map((other) => [...way, ...other]));
    if (ways.length > maxLists) refuse('anyOf', at, `its alternatives multiply to more than ${maxLists}`);
  };
  if (typeof schema.$ref === 'string') both(placesTogether(root, schema.$ref.replace(/^#/, ''), seen));
  const inner = (key: string) =>
    (Array.isArray(schema[key]) ? schema[key] : []).map((_, i) => placesTogether(root, `${at}/${key}/${i}`, seen));
  for (const ways of inner('allOf')) both(ways);
  if (schema.anyOf !== undefined) both(inner('anyOf').flat());
  if (schema.oneOf !== undefined) {
    const options = inner('oneOf');
    if (options.length > maxLists) refuse('oneOf', at, `it has more than ${maxLists} alternatives`);
    for (const [i, one] of options.entries())
      if (options.slice(i + 1).some((other) => !toldApart(root, one, other)))
        refuse('oneOf', at, 'no required property tells its alternatives apart');
    both(options.flat());
  }
  return ways;
}

/** Whether no object satisfies both: they ask for different values of one property. */
function toldApart(root: unknown, some: readonly Together[], others: readonly Together[]): boolean {
  const listed = (way: Together) =>
    new Map(
      way.flatMap((at) => {
        const { properties, required } = schemaAt(root, at);
        const names = Object.keys(record(properties) ?? {}).filter((name) => namesIn(required).includes(name));
        return names.flatMap((name) => {
          const schema = record(record(properties)![name]);
          const values = Array.isArray(schema?.enum) ? schema.enum : schema && 'const' in schema ? [schema.const] : [];
          return values.length > 0 ? [[name, new Set(values.map((value) => JSON.stringify(value)))] as const] : [];
        });
      }),
    );
  return some
    .map(listed)
    .every((one) =>
      others
        .map(listed)
        .every((other) =>
          [...one].some(
            ([name, values]) => other.has(name) && [...values].every((value) => !other.get(name)!.has(value)),
          ),
        ),
    );
}

/** Undefined where no object satisfies all of the schemas. */
function listOf(root: Record<string, unknown>, places: Together): Parameter[] | undefined {
  const schemas = places.map((at) => ({ at, schema: schemaAt(root, at) }));
  if (schemas.some(({ schema: { type } }) => type !== undefined && ![type].flat().includes('object'))) return undefined;
  const required = new Set(schemas.flatMap(({ schema }) => namesIn(schema.required)));
  const names = new Set([
    ...schemas.flatMap(({ schema }) => Object.keys(record(schema.properties) ?? {})),
    ...required,
  ]);
  const list: Parameter[] = [];
  for (const name of names) {
    const asked = schemas.flatMap(({ at, schema }) => placeOf(schema, at, name));
    if (!asked.some((at) => referenced(`#${at}`, root) === false))
      list.push({ name, required: required.has(name), value: valueAt(root, asked) });
    else if (required.has(name)) return undefined;
  }
  for (const { at, schema } of schemas) {
    if (Number(schema.minProperties ?? 0) > required.size) refuse('minProperties', at, notHeld);
    if (Number(schema.maxProperties ?? list.length) < list.length) refuse('maxProperties', at, notHeld);
  }
  return list;
}

/** Where a schema says what a property is. */
function placeOf(schema: Record<string, unknown>, at: string, name: string): string[] {
  if (Object.hasOwn(record(schema.properties) ?? {}, name)) return [`${at}/properties/${pointerStep(name)}`];
  return schema.additionalProperties === undefined ? [] : [`${at}/additionalProperties`];
}

/** References in what stands there are looked for in all of the document. */
function valueAt(root: Record<string, unknown>, places: readonly string[]): Parameter['value'] {
  if (places.length === 1) return { schema: root, at: places[0]! };
  const all = { allOf: places.map((at) => ({ $ref: `#${at}` })) };
  return { schema: { ...root, [together]: places.length === 0 ? true : all }, at: `/${together}` };
}

const together = 'x-together';

const notHeld = 'parameters that are written one by one cannot be held to it';

const pointerStep = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const schemaAt = (root: unknown, at: string): Record<string, unknown> => record(referenced(`#${at}`, root))!;

const namesIn = (required: unknown): string[] =>
  Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
