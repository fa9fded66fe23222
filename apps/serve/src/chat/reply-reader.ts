// What a chat's reply consists of, whatever the API that it is told in.

/** Arguments come in pieces of JSON text; calls are numbered from 0. */
export type ReplyEvent =
  | { type: 'reasoning'; text: string }
  | { type: 'content'; text: string }
  | { type: 'call'; index: number; name: string }
  | { type: 'arguments'; index: number; text: string };

/** Takes the text of a reply in any pieces; nothing the model wrote is lost. */
export interface ReplyReader {
  push(text: string): ReplyEvent[];
  end(): ReplyEvent[];
}
