// How a model chats: its template, what the template says of its format, and the tokens whose text readers of replies need.
import { analyseTemplate, type ChatFormat, formatTags, type Special } from '@quern/chat';
import { tokenNamed } from '@quern/engine';
import { chatMlTemplate, type Tokenizer } from '@quern/tokenizer';

export interface ModelChat {
  readonly template: string;
  /** The model has no template: ChatML stands in. */
  readonly isGuess: boolean;
  readonly format: ChatFormat;
  readonly special: Special;
  /** Control tokens that replies are taken apart by. */
  readonly marks: ReadonlySet<number>;
}

/** @param own in place of the one in the file */
export function modelChat(tokenizer: Tokenizer, own: string | undefined = tokenizer.chatTemplate): ModelChat {
  const template = own ?? chatMlTemplate;
  const piece = (token: number | undefined) => (token === undefined ? '' : tokenizer.piece(token));
  const special = { bosToken: piece(tokenizer.bos), eosToken: piece(tokenizer.eos) };
  const format = analyseTemplate(template, special);
  const tokens = formatTags(format).map((tag) => tokenNamed(tokenizer, tag));
  const marks = new Set(tokens.filter((token) => token !== undefined));
  return { template, isGuess: own === undefined, format, special, marks };
}
