// What the tools that a request offers say of their arguments.
import type { ToolDefinition } from './format.ts';

export const jsonTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;
export type JsonType = (typeof jsonTypes)[number];

const maxReferences = 20;

/** The types that a parameter may have by its tool's schema; undefined where the schema does not say. */
export function parameterTypes(tool: ToolDefinition, parameter: string): ReadonlySet<JsonType> | undefined {
  const root = record(tool.function.parameters);
  return typesIn(root, root, parameter, 0);
}

/** What an object's schema says of a property, in place or in the schemas that it is made of. */
function typesIn(
  given: unknown,
  root: Record<string, unknown> | undefined,
  parameter: string,
  depth: number,
): ReadonlySet<JsonType> | undefined {
  const schema = record(given);
  if (!schema || depth > maxReferences) return undefined;
  const properties = record(schema.properties) ?? {};
  const own = Object.hasOwn(properties, parameter) ? properties[parameter] : schema.additionalProperties;
  const inner = (schemas: unknown) =>
    (Array.isArray(schemas) ? schemas : []).map((one) => typesIn(one, root, parameter, depth + 1));
  const together = [typesOf(own, root, 0), ...inner(schema.allOf)];
  if (typeof schema.$ref === 'string')
    together.push(typesIn(referenced(schema.$ref, root), root, parameter, depth + 1));
  // An alternative that does not speak of it says nothing of the others.
  const options = [...inner(schema.anyOf), ...inner(schema.oneOf)].filter((types) => types !== undefined);
  if (options.length > 0) together.push(new Set(options.flatMap((types) => [...types])));
  return together
    .filter((types) => types !== undefined)
    .reduce<ReadonlySet<JsonType> | undefined>((some, types) => (some ? meet(some, types) : types), undefined);
}

const meet = (a: ReadonlySet<JsonType>, b: ReadonlySet<JsonType>): ReadonlySet<JsonType> =>
  new Set(
    [...a, ...b].filter((type) => [a, b].every((all) => all.has(type) || (type === 'integer' && all.has('number')))),
  );

function typesOf(
  given: unknown,
  root: Record<string, unknown> | undefined,
  depth: number,
): ReadonlySet<JsonType> | undefined {
  const schema = record(given);
  if (!schema || depth > maxReferences) return undefined;
  if (typeof schema.$ref === 'string') return typesOf(referenced(schema.$ref, root), root, depth + 1);
  if (typeof schema.type === 'string') return new Set([schema.type as JsonType]);
  if (Array.isArray(schema.type)) return new Set(schema.type as JsonType[]);
  const values = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : undefined;
  if (values) return new Set(values.map(typeOf));
  const options = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(options)) return undefined;
  const types = options.map((option) => typesOf(option, root, depth + 1));
  return types.includes(undefined) ? undefined : new Set(types.flatMap((some) => [...some!]));
}

/** A pointer into the tool's own schema. */
export function referenced(pointer: string, root: unknown): unknown {
  if (!pointer.startsWith('#')) return undefined;
  const steps = pointer.slice(1).split('/').slice(1);
  return steps.reduce<unknown>((at, step) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const inside = typeof at === 'object' && at !== null && Object.hasOwn(at, key);
    return inside ? (at as Record<string, unknown>)[key] : undefined;
  }, root);
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonType;
}

export function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
