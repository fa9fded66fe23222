// From a command's definition (data) to a commander parser.
import { type AnyCommandDefinition, type Flag, runCommand } from '@quern/terminal';
import { Command, InvalidArgumentError, Option } from 'commander';
import { usageOf } from './usage-error.ts';

export function parserOf(definition: AnyCommandDefinition): Command {
  const command = new Command(definition.name)
    .description(definition.description)
    .addHelpText('after', definition.help);
  for (const { name, description } of definition.arguments) command.argument(name, description);
  for (const { title, flags } of definition.flags)
    for (const flag of flags) command.addOption(optionOf(flag).helpGroup(`${title}:`));
  return command.action((...given: unknown[]) => {
    const options = command.opts();
    const line = { arguments: given.slice(0, definition.arguments.length), options };
    return runCommand((context) => definition.run({ ...line, context } as never), {
      json: options.json,
      usage: usageOf(command),
    });
  });
}

function optionOf({ flags, description, repeatable, choices, conflicts, environment, default: usual }: Flag): Option {
  const option = new Option(flags, description);
  if (environment !== undefined) option.env(environment);
  if (choices) option.choices([...choices]);
  if (repeatable) option.argParser((value: string, before: string[] = []) => [...before, value]);
  else if (!option.variadic && !option.isBoolean()) refuseSecond(option);
  if (conflicts) option.conflicts([...conflicts]);
  return option.default(usual);
}

/** Of two values one would silently be ignored. */
function refuseSecond(option: Option): void {
  const parse = option.parseArg;
  let given = false;
  option.argParser((value: string, before: unknown) => {
    if (given) throw new InvalidArgumentError('It is given twice: give one.');
    given = true;
    return parse ? parse(value, before) : value;
  });
}
