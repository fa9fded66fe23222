// What a command is called and takes, as data: `quern` (apps/quern) makes parser, help, usage errors and the names of
// other programs' flags of it. A definition imports tables and types alone; what the command does is imported when it
// runs, so that a help text does not wait for kernels and tokenizers.
import type { CommandContext } from './run-command.ts';

export interface Flag {
  /** As help shows it: `-o, --output <file>`. One letter with one dash, or a word with two. */
  readonly flags: string;
  readonly description: string;
  /** May be given several times; the value is the list. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** A variable of the environment that gives the value where the flag is not given. */
  readonly environment?: string;
  /** Names of values (`baseFile`) that cannot be given beside it. */
  readonly conflicts?: readonly string[];
}

export interface FlagGroup {
  /** Heading in the help. */
  readonly title: string;
  readonly flags: readonly Flag[];
}

export interface Argument {
  /** What `-m` of llama.cpp names. */
  readonly isModel?: boolean;
  /** `<model>`, `[model]`, `<parts...>`, `[models...]`. */
  readonly name: string;
  readonly description: string;
}

/** What a command line says. */
export interface CommandLine<Arguments, Options> {
  /** One for each `Argument`: a string, undefined where left out, or a list. */
  readonly arguments: Arguments;
  readonly options: Options;
  readonly context: CommandContext;
}

export interface CommandDefinition<Arguments, Options> {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly Argument[];
  readonly flags: readonly FlagGroup[];
  /** Examples, and what else stands below the options. */
  readonly help: string;
  /** @returns exit code, if it is not 0 */
  readonly run: (line: CommandLine<Arguments, Options>) => Promise<number | undefined>;
}

/** A command whose values nobody looks at. */
export type AnyCommandDefinition = CommandDefinition<never, never>;

/** What a model may be called wherever one is expected; `parseModelReference` of @quern/source reads it. */
export const modelForms =
  'GGUF file, checkpoint folder, hub id (owner/repo, owner/repo:Q4_K_M, owner/repo/file.gguf, owner/repo@revision) or URL';

/** The same where a created model is taken too. */
export const servedForms = `${modelForms}; a created model`;
