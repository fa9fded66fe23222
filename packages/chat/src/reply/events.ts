// What a reply consists of, in the order in which it was generated.
import { isSpace } from './input.ts';

export type ReplyEvent =
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'content'; readonly text: string }
  /** A call begins; its arguments follow as pieces of a JSON text. */
  | { readonly type: 'call'; readonly index: number; readonly name: string }
  | { readonly type: 'arguments'; readonly index: number; readonly text: string };

type TextType = 'reasoning' | 'content';

/** Gathers events; pieces of one text that come at once are one event. White space around marks belongs to no text. */
export class EventList {
  #events: { type: ReplyEvent['type']; text?: string; index?: number; name?: string }[] = [];
  #calls = 0;
  /** White space that is part of the text only if more of it follows. */
  #space = '';
  #hasText = false;
  #keepsFront = false;
  /** Whether what comes is reasoning. */
  inReasoning = false;

  /** @param keepsFront white space in front is part of the text: nothing was before it */
  beginText(keepsFront = false): void {
    this.#space = '';
    this.#hasText = false;
    this.#keepsFront = keepsFront;
  }

  text(type: TextType, text: string): void {
    let start = 0;
    if (!this.#hasText && !this.#keepsFront) while (start < text.length && isSpace(text[start]!)) start++;
    let end = text.length;
    while (end > start && isSpace(text[end - 1]!)) end--;
    if (end > start) {
      this.#add(type, this.#space + text.slice(start, end));
      this.#space = '';
      this.#hasText = true;
    }
    this.#space += text.slice(end);
  }

  /** Content that is apart from what is said around it. */
  line(text: string): void {
    this.#add('content', `${this.#hasText ? '\n' : ''}${text}\n`);
    this.beginText();
  }

  call(name: string): number {
    this.beginText();
    const index = this.#calls++;
    this.#events.push({ type: 'call', index, name });
    return index;
  }

  arguments(index: number, text: string): void {
    if (text === '') return;
    const last = this.#events.at(-1);
    if (last?.type === 'arguments' && last.index === index) last.text += text;
    else this.#events.push({ type: 'arguments', index, text });
  }

  get calls(): number {
    return this.#calls;
  }

  /** Whether the text that was begun last is more than white space. */
  get hasText(): boolean {
    return this.#hasText;
  }

  take(): ReplyEvent[] {
    const events = this.#events as ReplyEvent[];
    this.#events = [];
    return events;
  }

  /** Nothing follows: white space at the end was meant. */
  end(type: TextType): void {
    if (this.#space !== '') this.#add(type, this.#space);
    this.#space = '';
  }

  #add(type: TextType, text: string): void {
    const last = this.#events.at(-1);
    if (last?.type === type) last.text += text;
    else this.#events.push({ type, text });
  }
}
