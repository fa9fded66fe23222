// The schema that the arguments of a tool's calls must satisfy.
import { QuernError } from '@quern/errors';
import type { ToolDefinition } from '../format.ts';
import { record } from '../tools.ts';

/**
 * An object, whether it says so or not.
 * @throws QuernError `schema-unsupported` where it says that they are something else, which no reader takes for a call
 */
export function argumentsSchema({ function: { parameters } }: ToolDefinition): Record<string, unknown> {
  const schema = record(parameters) ?? {};
  if (schema.type !== undefined) {
    const types = [schema.type].flat();
    if (!types.includes('object')) {
      throw new QuernError('schema-unsupported', `Its arguments are ${types.join(' or ')} by its schema.`, {
        remedy: 'The arguments of a call are an object: say "type": "object".',
      });
    }
    return types.length === 1 ? schema : { ...schema, type: 'object' };
  }
  const says = ['$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'].some((keyword) => keyword in schema);
  return says ? schema : { type: 'object', ...schema };
}
