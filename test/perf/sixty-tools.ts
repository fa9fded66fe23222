// The schemas of 60 tools, each with four to eight parameters of the kinds that tools have.
const parameter = (i: number): object =>
  [
    { type: 'string', description: 'free text' },
    { type: 'string', maxLength: 200 },
    { type: 'integer', minimum: 0, maximum: 1000 + i },
    { type: 'number' },
    { type: 'boolean' },
    { enum: ['asc', 'desc', `by-${i}`] },
    { type: 'array', items: { type: 'string' }, maxItems: 10 },
    { type: 'string', format: 'date-time' },
    { type: 'string', pattern: `^[a-z_]+-${i}$` },
  ][i % 9]!;
export const tools = Array.from({ length: 60 }, (_, t) => {
  const names = Array.from({ length: 4 + (t % 5) }, (_, p) => `parameter_${p}`);
  const properties = Object.fromEntries(names.map((name, p) => [name, parameter(t + p)]));
  const parameters = { type: 'object', properties, required: names.slice(0, 2), additionalProperties: false };
  return {
    type: 'object',
    properties: { name: { const: `tool_number_${t}` }, arguments: parameters },
    required: ['name', 'arguments'],
    additionalProperties: false,
  };
});
export const schema = { anyOf: tools };
