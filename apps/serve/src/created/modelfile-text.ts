// A model as the text of a Modelfile. Texts of several lines stand between three quotation marks, and there is
// no way to write three of them inside.
import type { CreatedModel } from '@quern/checkpoint';

/** Ollama's text of parameters: one a line, lists as several. */
export const parameterLines = (parameters: CreatedModel['parameters']): string[] =>
  Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (one) => `${name} ${typeof one === 'string' ? JSON.stringify(one) : one}`,
    ),
  );

/** @param name what the model itself is called; @param base what stands behind FROM */
export function modelfileText(
  name: string,
  base: string,
  template: string | undefined,
  created: CreatedModel | undefined,
): string {
  const { adapters = [], system, parameters = {}, messages = [], license = [] } = created ?? {};
  return [
    '# A Modelfile of quern. To build on this model, write in the place of FROM:',
    `# FROM ${name}`,
    '',
    `FROM ${base}`,
    ...adapters.map(({ name: file, digest }) => `# ADAPTER ${file.replaceAll(/\s+/g, ' ')} (${digest})`),
    ...(template === undefined ? [] : [instruction('TEMPLATE', template)]),
    ...(system === undefined ? [] : [instruction('SYSTEM', system)]),
    ...parameterLines(parameters).map((line) => `PARAMETER ${line}`),
    ...messages.map(({ role, content }) => instruction(`MESSAGE ${role}`, String(content ?? ''))),
    ...license.map((text) => instruction('LICENSE', text)),
    '',
  ].join('\n');
}

const instruction = (word: string, text: string): string =>
  text.includes('"""') ? `# ${word} is left out: it has three quotation marks in a row.` : `${word} """${text}"""`;
