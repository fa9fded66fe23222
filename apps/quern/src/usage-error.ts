// What is wrong with a command line, in the form of every other error: a code, a message, a remedy, JSON where asked for.
import { nearest, QuernError } from '@quern/errors';
import type { Command, CommanderError } from 'commander';
import { longLlamaNames } from './llama-flags.ts';

/** The lines below a usage error. */
export function usageOf(command: Command): string {
  const names = ['quern', ...(command.parent ? [command.name()] : [])].join(' ');
  return `Usage: ${command.createHelp().commandUsage(command)}\n${names} --help explains the options and has examples.`;
}

/** @param command the one that was named, or the program */
export function usageError({ code, message }: CommanderError, command: Command): QuernError {
  const kind = code.replace(/^commander\./, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const text = message.replace(/^error: /, '');
  const sentence = `${text[0]!.toUpperCase()}${text.slice(1)}${/[.)]$/.test(text) ? '' : '.'}`;
  const meant = nearest(/'([^'=]+)/.exec(message)?.[1] ?? '', candidates(kind, command));
  return new QuernError(`usage-${kind}`, sentence, {
    remedy: meant.length > 0 ? `Did you mean ${meant.join(' or ')}?` : undefined,
  });
}

function candidates(kind: string, command: Command): string[] {
  if (kind === 'unknown-command') return command.commands.map((known) => known.name());
  if (kind !== 'unknown-option') return [];
  return [...command.options.flatMap(({ long }) => long ?? []), ...longLlamaNames];
}
