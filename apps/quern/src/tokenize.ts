// `quern tokenize`: text to token ids and pieces, by the tokenizer inside a model.
import { readFile } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import { type CommandContext, exitForUsage, formatTable, printJson, printLine, runCommand } from '@quern/terminal';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import { Command, Option } from 'commander';
import { openReference } from './open-reference.ts';

interface TokenizeOptions {
  text?: string;
  file?: string;
  special?: boolean;
  addSpecial?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  $ quern tokenize llama.gguf --text "Hello world"
  $ quern tokenize ./Llama-3.2-1B --file prompt.txt --special --json

Without --special, "<|im_start|>" in the text is ordinary text, as it is for the server when a user writes it.`;

export function tokenizeCommand(): Command {
  return new Command('tokenize')
    .description('Text to token ids.')
    .argument('<model>', 'GGUF file, checkpoint folder or hub id')
    .addOption(new Option('--text <text>', 'the text').conflicts('file'))
    .option('-f, --file <file>', 'read the text from a UTF-8 file, whole')
    .option('--special', 'recognise special tokens written in the text')
    .option('--add-special', 'add BOS and EOS where the model wants them')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((model: string, options: TokenizeOptions) =>
      runCommand((context) => runTokenize(model, options, context), options),
    );
}

async function runTokenize(model: string, options: TokenizeOptions, context: CommandContext): Promise<undefined> {
  const text = await textOf(options);
  const view = await openReference(model, context, options);
  try {
    const tokenizer = tokenizerFromGguf(view.metadata);
    const ids = tokenizer.encode(text, { parseSpecial: options.special, addSpecial: options.addSpecial });
    const tokens = Array.from(ids, (id) => ({ id, piece: tokenizer.piece(id), text: textOfToken(tokenizer, id) }));
    if (options.json) printJson({ model, count: tokens.length, ids: [...ids], tokens });
    else printLine(tokenTable(tokens));
  } finally {
    await view.close();
  }
}

async function textOf({ text, file }: TokenizeOptions): Promise<string> {
  if (text !== undefined) return text;
  if (file === undefined) throw new QuernError('usage-no-text', 'Nothing to tokenize: give --text or --file.');
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new QuernError('text-unreadable', `The text cannot be read: ${cause.message}.`, { file, cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new QuernError('text-not-utf8', 'The text is not valid UTF-8.', { file, cause });
  }
}

/** What the token stands for; a token that is part of a character shows as U+FFFD. */
const textOfToken = (tokenizer: Tokenizer, id: number): string =>
  new TextDecoder().decode(tokenizer.decodeBytes([id], { special: true }));

function tokenTable(tokens: readonly { id: number; text: string }[]): string {
  const rows = tokens.map(({ id, text }, index) => [String(index), String(id), JSON.stringify(text)]);
  return formatTable([{ header: '#', align: 'right' }, { header: 'id', align: 'right' }, { header: 'text' }], rows);
}
