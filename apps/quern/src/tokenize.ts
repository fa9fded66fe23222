// `quern tokenize`: text to token ids and pieces, by the tokenizer inside a model.
import { findCreated, findPlace } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { openTokenizer } from '@quern/models';
import {
  type CommandContext,
  downloadProgress,
  formatTable,
  printable,
  printJson,
  printLine,
  progressMode,
} from '@quern/terminal';
import type { Tokenizer } from '@quern/tokenizer';
import { textIn } from './text-in.ts';

export interface TokenizeOptions {
  text?: string;
  file?: string;
  special?: boolean;
  addSpecial?: boolean;
  json?: boolean;
}

export async function tokenize(model: string, options: TokenizeOptions, context: CommandContext): Promise<undefined> {
  const text = await textOf(options);
  const download = downloadProgress(progressMode(options));
  const place = await findPlace((await findCreated(model))?.weights ?? model, context);
  const { tokenizer, bytesRead } = await openTokenizer(place, { ...context, ...download.watch });
  download.finish();
  const ids = tokenizer.encode(text, { parseSpecial: options.special, addSpecial: options.addSpecial });
  const tokens = Array.from(ids, (id) => ({ id, piece: tokenizer.piece(id), text: textOfToken(tokenizer, id) }));
  if (options.json) printJson({ model, tokenCount: tokens.length, ids: [...ids], tokens, bytesRead });
  else printLine(tokenTable(tokens));
}

async function textOf({ text, file }: TokenizeOptions): Promise<string> {
  if (text !== undefined) return text;
  if (file === undefined) throw new QuernError('usage-no-text', 'Nothing to tokenize: give --text or --file.');
  return textIn(file);
}

/** What the token stands for; a token that is part of a character shows as U+FFFD. */
const textOfToken = (tokenizer: Tokenizer, id: number): string =>
  new TextDecoder().decode(tokenizer.decodeBytes([id], { special: true }));

function tokenTable(tokens: readonly { id: number; text: string }[]): string {
  const rows = tokens.map(({ id, text }, index) => [String(index), String(id), printable(JSON.stringify(text))]);
  return formatTable([{ header: '#', align: 'right' }, { header: 'id', align: 'right' }, { header: 'text' }], rows);
}
