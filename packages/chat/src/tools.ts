// What the tools that a request offers say of their arguments.
import type { ToolDefinition } from './format.ts';

export const jsonTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;
export type JsonType = (typeof jsonTypes)[number];

const maxReferences = 20;

/** The types that a parameter may have by its tool's schema; undefined where the schema does not say. */
export function parameterTypes(tool: ToolDefinition, parameter: string): ReadonlySet<JsonType> | undefined {
  const schema = record(tool.function.parameters);
  const property = record(schema?.properties)?.[parameter] ?? schema?.additionalProperties;
  return typesOf(property, schema, 0);
}

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
  return steps.reduce<unknown>((at, step) => record(at)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], root);
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
