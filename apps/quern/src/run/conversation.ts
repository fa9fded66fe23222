// A chat with a model: what was said, rendered by the model's own template, and replies as they are generated.
import type { Engine, FinishEvent } from '@quern/engine';
import { QuernError } from '@quern/errors';
import { chatMlTemplate, renderChat, StopMatcher, TextStream, type Tokenizer } from '@quern/tokenizer';
import { type Settings, usualSettings } from './settings.ts';

/** As templates read it: what a created model begins with may have more fields than these. */
export type Message = Readonly<Record<string, unknown>> & { readonly role: string };

/** What was said here. */
export interface Turn extends Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface Reply {
  readonly text: string;
  readonly end: FinishEvent;
}

export interface Speaker {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** Default: the one in the file. */
  readonly template?: string;
  /** Between the system prompt and what is said; it belongs to the model, not to what is kept of a chat. */
  readonly opening?: readonly Message[];
  /** Texts that end a reply. */
  readonly stops?: readonly string[];
}

export class Conversation {
  settings: Settings = usualSettings;
  system?: string;
  #turns: Turn[] = [];
  readonly #speaker: Speaker;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** The system prompt included. */
  get messages(): readonly Turn[] {
    return [...this.#systemTurns, ...this.#turns];
  }

  get #systemTurns(): readonly Turn[] {
    return this.system === undefined ? [] : [{ role: 'system', content: this.system }];
  }

  clear(): void {
    this.#turns = [];
  }

  /** Takes another conversation's messages. */
  restore(messages: readonly Turn[]): void {
    this.system = messages.find(({ role }) => role === 'system')?.content;
    this.#turns = messages.filter(({ role }) => role !== 'system');
  }

  /**
   * Says something, and hands the reply to `onText` piece by piece. A reply that `signal` stops is kept as far as it came; after a
   * failure nothing was said.
   * @throws QuernError `chat-too-long`, and those of `renderChat` and `Engine.generate`
   */
  async say(content: string, onText: (text: string) => void, signal?: AbortSignal): Promise<Reply> {
    const { engine, tokenizer, opening = [], stops = [] } = this.#speaker;
    const { sampling, maxTokens } = this.settings;
    const asked: Turn = { role: 'user', content };
    const prompt = this.#prompt([...this.#systemTurns, ...opening, ...this.#turns, asked]);
    const messageEnds = [...prompt.keys()].filter((i) => tokenizer.endOfGeneration.has(prompt[i]!)).map((i) => i + 1);
    const stopTokens = [...tokenizer.endOfGeneration];
    const stream = new TextStream(tokenizer);
    const matcher = new StopMatcher(stops);
    const stopped = new AbortController();
    const options = { sampling, maxTokens, stopTokens, messageEnds };
    const ending = AbortSignal.any([stopped.signal, ...(signal ? [signal] : [])]);
    let text = '';
    const hand = (piece: string): void => {
      text += piece;
      if (piece !== '') onText(piece);
    };
    for await (const event of engine.generate(prompt, { ...options, signal: ending })) {
      if (!('finishReason' in event)) {
        const { text: piece, stop } = matcher.push(stream.push(event.token));
        hand(piece);
        if (stop !== undefined) stopped.abort();
        continue;
      }
      hand(matcher.push(stream.flush()).text + matcher.flush());
      this.#turns.push(asked, { role: 'assistant', content: text });
      return { text, end: stopped.signal.aborted ? { ...event, finishReason: 'stop' } : event };
    }
    throw new QuernError('engine-closed', 'The engine ended before the reply did.');
  }

  #prompt(messages: readonly Message[]): Int32Array {
    const { engine, tokenizer, template = tokenizer.chatTemplate ?? chatMlTemplate } = this.#speaker;
    const { think } = this.settings;
    const piece = (token: number | undefined) => (token === undefined ? '' : tokenizer.piece(token));
    const text = renderChat({
      template,
      messages: messages.map((message) => ({ ...message })),
      addGenerationPrompt: true,
      bosToken: piece(tokenizer.bos),
      eosToken: piece(tokenizer.eos),
      ...(think !== undefined && { extra: { enable_thinking: think } }),
    });
    const prompt = tokenizer.encode(text, { parseSpecial: true });
    const { contextTokens } = engine.info;
    if (prompt.length < contextTokens) return prompt;
    throw new QuernError(
      'chat-too-long',
      `The conversation has ${prompt.length} tokens; the context has ${contextTokens}, of which a reply needs one at least.`,
      { remedy: 'Start anew (/clear), or give a larger context with -c.' },
    );
  }
}
