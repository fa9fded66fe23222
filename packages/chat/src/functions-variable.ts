// Firefunction's templates read the tools from a variable of their own, `functions`, as JSON text, and the day from `datetime`.
import type { ToolDefinition } from './format.ts';

export const readsFunctions = (template: string): boolean =>
  /\bfunctions\b/.test(template.replace(/(['"]).*?\1/g, '')) && !/\btools\b/.test(template);

/** The day alone: a time would make every prompt a new one. */
export const functionsVariables = (tools: readonly ToolDefinition[], now: Date): Record<string, string> => ({
  functions: JSON.stringify(tools, null, 4),
  datetime: now.toISOString().slice(0, 10),
});
