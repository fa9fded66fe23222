// The `quern` command line: one commander program whose subcommands are the rows of commands.ts. Only the row that is
// named gets loaded; the others stand in the help by name and summary.
import { readFileSync } from 'node:fs';
import { exitForUsage } from '@quern/terminal';
import { Command } from 'commander';
import { commands } from './commands.ts';

const examples = `
Examples:
  $ quern convert ./Llama-3.2-1B --type Q4_K_M -o llama.gguf
  $ quern eval llama.gguf --text wiki.test.raw
  $ quern serve llama.gguf --port 8080
  $ quern inspect llama.gguf

Each command has its own --help. Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused by a check, 130 interrupted.`;

const version = (): string =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string;

/** @param args the command line without node and script */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('quern')
    .description('From a Hugging Face checkpoint to something that runs: convert, quantize, evaluate, serve.')
    .version(version())
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .showSuggestionAfterError();
  const named = args.find((arg) => !arg.startsWith('-') && arg !== 'help');
  for (const { name, summary, load } of commands) {
    const command = name === named ? await load() : new Command(name);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  await program.parseAsync(args, { from: 'user' });
}
