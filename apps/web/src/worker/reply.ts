// One reply: batches are computed until it is over, and between two of them messages get in, a stop above all.
import type { EngineCore, FinishEvent } from '@quern/engine';
import { TextStream, type Tokenizer } from '@quern/tokenizer';
import type { ReplyFigures, ReplyRequest } from '../protocol.ts';
import { promptTokens } from './prompt-tokens.ts';

export interface ReplyTask {
  readonly core: EngineCore;
  readonly tokenizer: Tokenizer;
  readonly request: ReplyRequest;
  readonly signal: AbortSignal;
  onText(text: string): void;
}

/** What was wrong with the request, as opposed to a device that failed. */
export class RequestRefused extends Error {}

/** @throws RequestRefused with the reason as cause; whatever else is the device's, and the core cannot go on */
export async function reply({ core, tokenizer, request, signal, onText }: ReplyTask): Promise<ReplyFigures> {
  const stream = new TextStream(tokenizer);
  const show = (text: string): void => {
    if (text !== '') onText(text);
  };
  let finish: FinishEvent | undefined;
  let failure: unknown;
  const submit = () => {
    const { maxTokens, sampling } = request;
    const stopTokens = [...tokenizer.endOfGeneration];
    return core.submit(promptTokens(tokenizer, request.prompt), { maxTokens, sampling, stopTokens }, (outcome) => {
      if ('error' in outcome) failure = outcome.error;
      else if ('finishReason' in outcome.event) finish = outcome.event;
      else show(stream.push(outcome.event.token));
    });
  };
  let sequence: ReturnType<typeof submit>;
  try {
    sequence = submit();
  } catch (cause) {
    throw new RequestRefused('refused', { cause });
  }
  while (!core.idle) {
    if (signal.aborted) core.cancel(sequence);
    else await core.step();
    await nextTask();
  }
  if (!finish) throw new RequestRefused('refused', { cause: failure });
  show(stream.flush());
  const { finishReason, promptTokens: prompted, generatedTokens, timings } = finish;
  const { promptMs, generationMs } = timings;
  return { finishReason, promptTokens: prompted, promptMs, generatedTokens, generationMs };
}

const channel = new MessageChannel();

/** A timer would wait 4 ms. */
const nextTask = (): Promise<void> =>
  new Promise((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(undefined);
  });
