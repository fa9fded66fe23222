// A response as the events of its stream. The response that is not streamed is the one in the last of them.

import type { ReplyEvent } from '@quern/chat';
import type { Tokenizer } from '@quern/tokenizer';
import type { ApiError } from '../../api-error.ts';
import { BlankTexts } from '../../chat/blank-texts.ts';
import type { ChatEvent } from '../../chat/reply.ts';
import { cancelled } from '../../generate/generation.ts';
import { createdSeconds } from '../response-fields.ts';
import { chatLogProbs } from '../token-log-probs.ts';
import { type ItemEvent, type ItemForm, type OpenItem, openItem } from './output-items.ts';
import { type OutputItem, type ResponseHead, type ResponseObject, responseUsage } from './response-object.ts';

export interface ResponseForm extends ItemForm {
  readonly head: ResponseHead;
  readonly tokenizer: Tokenizer;
  readonly showsLogProbs: boolean;
}

export type ResponseEvent = ItemEvent & { readonly sequence_number: number };

export class ResponseEvents {
  readonly #form: ResponseForm;
  readonly #blanks = new BlankTexts();
  readonly #output: OutputItem[] = [];
  #open: OpenItem | undefined;
  #kind: ReplyEvent['type'] | undefined;
  #sequence = 0;
  #logProbs: object[] = [];

  constructor(form: ResponseForm) {
    this.#form = form;
  }

  /**
   * @param ended told of the response when it has ended well
   * @throws ApiError 503 when the generation was cancelled
   */
  async *read(
    events: AsyncGenerator<ChatEvent>,
    ended: (response: ResponseObject) => void,
  ): AsyncGenerator<ResponseEvent> {
    const begun = this.#response('in_progress', {});
    yield this.#numbered({ type: 'response.created', response: begun });
    yield this.#numbered({ type: 'response.in_progress', response: begun });
    for await (const event of events) {
      if (event.type === 'reply') {
        this.#count(event);
        for (const part of this.#blanks.filter(event.parts)) yield* this.#part(part);
        continue;
      }
      const status = event.finishReason === 'length' ? 'incomplete' : 'completed';
      yield* this.#close(status);
      const response = this.#response(status, {
        completed_at: createdSeconds(),
        incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
        usage: responseUsage(event.cost),
      });
      ended(response);
      yield this.#numbered({ type: `response.${status}`, response });
      return;
    }
    throw cancelled();
  }

  /** The last event of a stream that failed: with what was told of its output until then. */
  failed({ message }: ApiError): ResponseEvent {
    const open = this.#open ? [this.#open.close('incomplete').item] : [];
    const output = [...this.#output, ...open];
    const response = this.#response('failed', { output, error: { code: 'server_error', message } });
    return this.#numbered({ type: 'response.failed', response });
  }

  #response(status: ResponseObject['status'], end: object): ResponseObject {
    const open = { completed_at: null, error: null, incomplete_details: null, usage: null };
    return { ...this.#form.head, status, output: [...this.#output], ...open, ...end };
  }

  #numbered(event: ItemEvent): ResponseEvent {
    return { ...event, sequence_number: this.#sequence++ };
  }

  #placed(event: ItemEvent): ResponseEvent {
    return this.#numbered({ ...event, output_index: this.#output.length });
  }

  #count({ parts, tokens }: Extract<ChatEvent, { type: 'reply' }>): void {
    const kind = parts.at(-1)?.type ?? this.#kind;
    if (this.#form.showsLogProbs && tokens.length > 0)
      this.#logProbs.push(...chatLogProbs(this.#form.tokenizer, tokens).content);
    if (parts.length > 0 && kind !== 'content') this.#logProbs = [];
  }

  *#part(part: ReplyEvent): Generator<ResponseEvent> {
    const goesOn = part.type === 'arguments' || (part.type === this.#kind && part.type !== 'call');
    if (!goesOn) {
      yield* this.#close('completed');
      this.#open = openItem(part, this.#form);
      this.#kind = part.type;
      yield this.#placed({ type: 'response.output_item.added', item: this.#open.empty });
      for (const event of this.#open.opened()) yield this.#placed(event);
    }
    if (part.type === 'call') return;
    const logProbs = part.type === 'content' ? this.#logProbs.splice(0) : [];
    for (const event of this.#open!.add(part.text, logProbs)) yield this.#placed(event);
  }

  *#close(status: 'completed' | 'incomplete'): Generator<ResponseEvent> {
    if (!this.#open) return;
    const { events, item } = this.#open.close(status);
    for (const event of events) yield this.#placed(event);
    yield this.#placed({ type: 'response.output_item.done', item });
    this.#output.push(item);
    this.#open = undefined;
    this.#kind = undefined;
  }
}
