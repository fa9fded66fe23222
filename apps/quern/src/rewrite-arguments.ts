// llama.cpp's flags into quern's, before the parser sees them: commander takes no short flag of several letters, and its
// suggestions know nothing of other programs.
import { QuernError } from '@quern/errors';
import type { Command, Option } from 'commander';
import { type LlamaFlag, llamaFlagNamed, modelArgument } from './llama-flags.ts';

export interface Rewritten {
  readonly args: readonly string[];
  /** For stderr. */
  readonly notes: readonly string[];
}

/**
 * @param args what follows the name of the command
 * @param takesModel whether its first argument is a model
 * @throws QuernError `usage-foreign-flag`, `usage-no-model`
 */
export function rewriteArguments(args: readonly string[], command: Command, takesModel: boolean): Rewritten {
  const models: string[] = [];
  const rest: string[] = [];
  const notes: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest.push(...args.slice(i));
      break;
    }
    const { name, value } = partsOf(arg);
    const own = optionNamed(command, name);
    const row = own || !isFlag(arg) ? undefined : llamaFlagNamed(name);
    if (name === '-fa' || name === '--flash-attn') {
      const wanted = value ?? (isSwitch(args[i + 1]) ? args[++i] : 'on');
      notes.push(flashAttention(name, wanted!, command));
    } else if (row?.means === modelArgument && takesModel) {
      models.push(modelOf(name, value ?? args[++i]));
    } else {
      const option = own ?? (row && equivalent(row, name, command));
      // `-c=4096` is not among what commander takes.
      const flag = own ? name : option?.long;
      if (name === '-t' && option?.long === '--threads') refuseType(value ?? args[i + 1], command);
      if (flag === undefined) rest.push(arg);
      else if (value === undefined) rest.push(flag);
      else if (flag.startsWith('--')) rest.push(`${flag}=${value}`);
      else rest.push(flag, value);
      // Whatever follows a flag that wants a value is its value, also when it looks like a flag.
      if (option?.required && value === undefined && i + 1 < args.length) rest.push(args[++i]!);
    }
  }
  return { args: [...models, ...rest], notes };
}

const isFlag = (arg: string): boolean => /^-./.test(arg);

/** `--name=value` and `-n=value` in two. */
function partsOf(arg: string): { name: string; value?: string } {
  const at = isFlag(arg) ? arg.indexOf('=') : -1;
  return at < 0 ? { name: arg } : { name: arg.slice(0, at), value: arg.slice(at + 1) };
}

const optionNamed = (command: Command, name: string): Option | undefined =>
  command.options.find(({ short, long }) => short === name || long === name);

/** @throws QuernError `usage-foreign-flag` when the command has nothing of the kind */
function equivalent({ means, only, instead }: LlamaFlag, name: string, command: Command): Option {
  const mine = only === undefined || only === command.name();
  const option = means !== undefined && mine ? optionNamed(command, means) : undefined;
  if (option) return option;
  throw foreign(name, command, instead);
}

const foreign = (name: string, command: Command, remedy?: string): QuernError =>
  new QuernError('usage-foreign-flag', `quern ${command.name()} has no ${name}.`, { remedy });

function modelOf(name: string, model: string | undefined): string {
  if (model !== undefined && !isFlag(model)) return model;
  throw new QuernError('usage-no-model', `${name} needs the name of a model.`);
}

/** `-t` was once the type here, and is the threads of every program of llama.cpp. */
function refuseType(value: string | undefined, command: Command): void {
  if (value === undefined || !/^[a-z]/i.test(value) || !optionNamed(command, '--type')) return;
  throw new QuernError('usage-bad-number', `-t is the number of threads, not '${value}'.`, {
    remedy: `For the type write --type ${value}.`,
  });
}

const switches = ['on', 'off', 'auto', '1', '0', 'true', 'false', 'enabled', 'disabled'];
const isSwitch = (text: string | undefined): boolean => text !== undefined && switches.includes(text);

/** There is one attention, and it is what llama.cpp calls flash attention. */
function flashAttention(name: string, wanted: string, command: Command): string {
  if (!optionNamed(command, '--device'))
    throw foreign(name, command, 'Commands that run a model have it: eval, serve, run, logits.');
  if (['off', '0', 'false', 'disabled'].includes(wanted))
    throw new QuernError('usage-foreign-flag', `${name} ${wanted} is not possible: attention has one form here.`, {
      remedy: 'Leave it out; --device reference computes with whole rows of scores, slowly.',
    });
  if (isSwitch(wanted)) return `note: ${name} changes nothing: attention never holds a whole row of scores here.`;
  throw new QuernError('usage-foreign-flag', `${name} is on or auto, not '${wanted}'.`);
}
