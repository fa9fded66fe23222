// A model as the text of a Modelfile, which `quern create` reads. Texts of several lines stand between three quotation marks, and there is
// no way to write three of them inside.
import type { CreatedModel } from '@quern/checkpoint';

/** Lists are several of a name. */
const parameterRows = (parameters: CreatedModel['parameters']): (readonly [string, unknown])[] =>
  Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const),
  );

/** Ollama's text of parameters, one a line. */
export const parameterLines = (parameters: CreatedModel['parameters']): string[] =>
  parameterRows(parameters).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? JSON.stringify(value) : value}`,
  );

/** @param name what the model itself is called */
export function modelfileText(name: string, template: string | undefined, created: CreatedModel | undefined): string {
  const { adapters = [], system, parameters = {}, messages = [], license = [] } = created ?? {};
  return [
    '# A Modelfile of quern. To build on this model, write in the place of FROM:',
    `# FROM ${name}`,
    '',
    // A file of its own has no other name than its own.
    `FROM ${created && 'reference' in created.weights ? created.weights.reference : name}`,
    ...adapters.map(({ name: file, digest }) => `# ADAPTER ${file.replaceAll(/\s+/g, ' ')} (${digest})`),
    ...(template === undefined ? [] : [instruction('TEMPLATE', template)]),
    ...(system === undefined ? [] : [instruction('SYSTEM', system)]),
    ...parameterRows(parameters).map(([option, value]) =>
      typeof value === 'string' ? instruction(`PARAMETER ${option}`, value) : `PARAMETER ${option} ${value}`,
    ),
    ...messages.map(({ role, content }) => instruction(`MESSAGE ${role}`, String(content ?? ''))),
    ...license.map((text) => instruction('LICENSE', text)),
    '',
  ].join('\n');
}

const instruction = (word: string, text: string): string =>
  text.includes('"""') ? `# ${word} is left out: it has three quotation marks in a row.` : `${word} """${text}"""`;
