// A chat with a model: what was said, rendered by the model's own template, and replies as they are generated.
import type { Engine, FinishEvent } from '@quern/engine';
import { QuernError } from '@quern/errors';
import { chatMlTemplate, renderChat, TextStream, type Tokenizer } from '@quern/tokenizer';
import { type Settings, usualSettings } from './settings.ts';

export interface Message {
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
}

export class Conversation {
  settings: Settings = usualSettings;
  system?: string;
  #turns: Message[] = [];
  readonly #speaker: Speaker;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** The system prompt included. */
  get messages(): readonly Message[] {
    return this.system === undefined ? this.#turns : [{ role: 'system', content: this.system }, ...this.#turns];
  }

  clear(): void {
    this.#turns = [];
  }

  /** Takes another conversation's messages. */
  restore(messages: readonly Message[]): void {
    this.system = messages.find(({ role }) => role === 'system')?.content;
    this.#turns = messages.filter(({ role }) => role !== 'system');
  }

  /**
   * Says something, and hands the reply to `onText` piece by piece. A reply that `signal` stops is kept as far as it came; after a
   * failure nothing was said.
   * @throws QuernError `chat-too-long`, and those of `renderChat` and `Engine.generate`
   */
  async say(content: string, onText: (text: string) => void, signal?: AbortSignal): Promise<Reply> {
    const { engine, tokenizer } = this.#speaker;
    const { sampling, maxTokens } = this.settings;
    const asked: Message = { role: 'user', content };
    const prompt = this.#prompt([...this.messages, asked]);
    const messageEnds = [...prompt.keys()].filter((i) => tokenizer.endOfGeneration.has(prompt[i]!)).map((i) => i + 1);
    const stopTokens = [...tokenizer.endOfGeneration];
    const stream = new TextStream(tokenizer);
    let text = '';
    const hand = (piece: string): void => {
      text += piece;
      if (piece !== '') onText(piece);
    };
    for await (const event of engine.generate(prompt, { sampling, maxTokens, stopTokens, messageEnds, signal })) {
      if (!('finishReason' in event)) {
        hand(stream.push(event.token));
        continue;
      }
      hand(stream.flush());
      this.#turns.push(asked, { role: 'assistant', content: text });
      return { text, end: event };
    }
    throw new QuernError('engine-closed', 'The engine ended before the reply did.');
  }

  #prompt(messages: readonly Message[]): Int32Array {
    const { engine, tokenizer } = this.#speaker;
    const { think } = this.settings;
    const piece = (token: number | undefined) => (token === undefined ? '' : tokenizer.piece(token));
    const text = renderChat({
      template: tokenizer.chatTemplate ?? chatMlTemplate,
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
