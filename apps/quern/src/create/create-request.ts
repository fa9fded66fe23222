// What a Modelfile says as the request that a client of `quern serve` would send, with the line of each field.
import { nearest } from '@quern/errors';
import { type CreateRequest, parameterNames } from '@quern/serve-command/server';
import { type Instruction, malformed } from './modelfile.ts';

export interface ModelfileRequest {
  /** Not looked at yet. */
  readonly request: CreateRequest;
  readonly from: Instruction;
  readonly adapters: readonly Instruction[];
  /** By the names of the request's fields. */
  readonly lines: ReadonlyMap<string, number>;
}

/** @throws QuernError `modelfile-malformed` */
export function requestOf(instructions: readonly Instruction[], file: string): ModelfileRequest {
  const lines = new Map<string, number>();
  const parameters: Record<string, unknown> = {};
  const messages: { role: string; content: string }[] = [];
  const textOf = (word: string): string | undefined => {
    const found = instructions.find((one) => one.word === word);
    if (found) lines.set(word.toLowerCase(), found.line);
    return found?.text;
  };
  for (const { word, text, line } of instructions) {
    const [, name, value] = /^(\S+) (.*)$/s.exec(text) ?? [];
    if (word === 'PARAMETER') {
      if (name === undefined) throw malformed(line, 'PARAMETER has a name and a value', file);
      if (!parameterNames.includes(name)) {
        const similar = nearest(name, parameterNames);
        const remedy =
          similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : `There are ${parameterNames.join(', ')}.`;
        throw malformed(line, `there is no parameter ${JSON.stringify(name)}`, file, remedy);
      }
      lines.set(`parameters.${name}`, line);
      if (name === 'stop') parameters.stop = [...((parameters.stop as string[] | undefined) ?? []), value!];
      else if (name in parameters) throw malformed(line, `the parameter ${name} is given twice`, file);
      else parameters[name] = numberOrText(value!);
    }
    if (word === 'MESSAGE') {
      if (name === undefined) throw malformed(line, 'MESSAGE has a role and a text', file);
      lines.set(`messages.${messages.length}`, line);
      messages.push({ role: name, content: value! });
    }
  }
  const request = {
    ...{ template: textOf('TEMPLATE'), system: textOf('SYSTEM') },
    ...{ parameters, messages: messages as CreateRequest['messages'] },
    license: instructions.filter(({ word }) => word === 'LICENSE').map(({ text }) => text),
  };
  const from = instructions.find(({ word }) => word === 'FROM')!;
  lines.set('from', from.line);
  return { request, from, adapters: instructions.filter(({ word }) => word === 'ADAPTER'), lines };
}

function numberOrText(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}
