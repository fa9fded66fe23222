// The `quern` command line: one commander program whose subcommands are the rows of commands.ts. Only the definition that
// is named gets loaded; the others stand in the help by name and summary.
import { readFileSync } from 'node:fs';
import { exitCodes, guardPipes, printLine, printNote, runCommand } from '@quern/terminal';
import { Command, CommanderError } from 'commander';
import { commands } from './commands.ts';
import { shortNamesOf } from './llama-flags.ts';
import { parserOf } from './parser.ts';
import { rewriteArguments } from './rewrite-arguments.ts';
import { usageError, usageOf } from './usage-error.ts';

const examples = `
Examples:
  $ quern convert ./Llama-3.2-1B --type Q4_K_M -o llama.gguf
  $ quern eval llama.gguf --text wiki.test.raw
  $ quern serve llama.gguf --port 8080
  $ quern inspect llama.gguf

Each command has its own --help. llama.cpp's flags (-m, -ngl, -c, -ctk, …) are
understood where they mean something. Exit codes: 0 done, 1 failed, 2 wrong
command line, 3 refused by a check, 130 interrupted.`;

const version = (): string =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string;

/** @param args the command line without node and script */
export async function runProgram(args: readonly string[]): Promise<void> {
  guardPipes();
  const program = emptyProgram();
  let [command, rest] = [program, args];
  try {
    const named = args.find((arg) => !arg.startsWith('-') && arg !== 'help');
    for (const { name, summary, load } of commands) {
      if (name !== named) {
        program.command(name).summary(summary);
        continue;
      }
      const definition = await load();
      command = parserOf(definition).summary(summary).copyInheritedSettings(program);
      program.addCommand(command);
      const at = args.indexOf(name);
      const takesModel = definition.arguments[0]?.isModel ?? false;
      const rewritten = args.includes('help')
        ? { args: args.slice(at + 1), notes: [] }
        : rewriteArguments(args.slice(at + 1), command, takesModel);
      rewritten.notes.forEach(printNote);
      rest = [...args.slice(0, at + 1), ...rewritten.args];
    }
    addVersionCommand(program);
    await program.parseAsync(rest, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && /^commander\.(help|version)/.test(error.code)) {
      // Without a command the help is on stderr, and the command line was wrong.
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
      return;
    }
    const cause = error instanceof CommanderError ? usageError(error, command) : error;
    await runCommand(() => Promise.reject(cause), { json: args.includes('--json'), usage: usageOf(command) });
  }
}

function emptyProgram(): Command {
  const program = new Command('quern')
    .description('From a Hugging Face checkpoint to something that runs: convert, quantize, evaluate, serve.')
    .version(version(), '-v, --version', 'print the version')
    .addHelpText('after', examples)
    .configureHelp({ optionTerm: ({ flags, long }) => [...shortNamesOf(long ?? ''), flags].join(', ') })
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError(false)
    .exitOverride();
  return program;
}

function addVersionCommand(program: Command): void {
  program
    .command('version')
    .summary('print the version')
    .action(() => printLine(version()));
}
