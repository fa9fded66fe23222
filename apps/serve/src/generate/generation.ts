// One generation as text: the engine's tokens become UTF-8 text (held back while a character is incomplete), which stop
// strings cut short. Chat and text completions, streamed or not, all read these events.
import type { CallOptions, GenerateEvent, TokenEvent } from '@quern/engine';
import { StopMatcher, TextStream } from '@quern/tokenizer';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { adaptersOf, checkAdapters } from './adapters.ts';
import { beamOptions } from './beam-fields.ts';
import type { ReplyCost } from './cost.ts';
import { type GenerationRequest, stopStrings } from './generation-request.ts';
import { grammarOptions } from './grammar-request.ts';
import { logitBiasOf, samplingOptions } from './sampling-fields.ts';

export type FinishReason = 'stop' | 'length';

/** `tokens` are those sampled since the last event; their text may come later, when a character is complete. */
export type GenerationEvent =
  | { type: 'text'; text: string; tokens: readonly TokenEvent[] }
  | {
      type: 'end';
      finishReason: FinishReason;
      /** The text of `stop` that ended it. */
      stopText?: string;
      cost: ReplyCost;
    };

/** How a generation ended, in the engine's words, or `cancelled` when its reader left first. */
export interface GenerationRecord {
  /** What clients call it. */
  model: string;
  finishReason: FinishReason | 'cancelled';
  promptTokens: number;
  completionTokens: number;
  ms: number;
  /** Prompt tokens that needed no computation. */
  cachedTokens: number;
}

export interface GenerationTask {
  model: ServedModel;
  prompt: Int32Array;
  request: GenerationRequest;
  /** Undefined: until the model ends its turn or the context is full. */
  maxTokens: number | undefined;
  /** How many alternatives per token to report; undefined: no log probabilities. */
  logProbs?: number;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
  onEnd?: (record: GenerationRecord, signal: AbortSignal) => void;
  /** Its tokens, when they are asked for together with those of others. */
  events?: AsyncGenerator<GenerateEvent>;
}

/**
 * What must hold before the headers of a stream are out.
 * @param param the field that the prompt came from
 * @throws ApiError 400 `not_a_generating_model`, `context_length_exceeded` with the numbers (a prompt is never cut), `empty_prompt`, `invalid_grammar`, `invalid_value`
 */
export function checkTask({ model, prompt, request }: GenerationTask, param: string): void {
  if (model.engine.info.embeddings) {
    const message = `The model "${model.id}" makes vectors of texts and generates nothing; use /v1/embeddings.`;
    throw new ApiError(400, 'not_a_generating_model', message, { param: 'model' });
  }
  const { vocabSize } = model.tokenizer;
  const unknown = [...logitBiasOf(request).keys()].find((id) => id >= vocabSize);
  if (unknown !== undefined) {
    const message = `logit_bias names token ${unknown}, but the vocabulary has ${vocabSize} tokens.`;
    throw new ApiError(400, 'invalid_value', message, { param: 'logit_bias' });
  }
  checkAdapters(request.lora, model);
  grammarOptions(request, model, prompt);
  beamOptions(request);
  if (prompt.length === 0) throw new ApiError(400, 'empty_prompt', 'The prompt has no tokens.', { param });
  if (prompt.length < model.contextTokens) return;
  const message =
    `The prompt has ${prompt.length} tokens; the maximum context length is ${model.contextTokens} tokens, ` +
    'of which at least one is needed for the reply.';
  throw new ApiError(400, 'context_length_exceeded', message, { param });
}

/** Runs a generation. Leaving the loop early cancels it in the engine. */
export async function* generate(task: GenerationTask): AsyncGenerator<GenerationEvent> {
  const { model, prompt, request } = task;
  const stream = new TextStream(model.tokenizer);
  const stops = new StopMatcher(stopStrings(request));
  const events = task.events ?? model.engine.generate(prompt, callOptions(task));
  const startMs = performance.now();
  const promptTokens = prompt.length;
  let completionTokens = 0;
  let cachedTokens = 0;
  let finishReason: GenerationRecord['finishReason'] = 'cancelled';
  try {
    for await (const event of events) {
      if ('finishReason' in event) {
        completionTokens = event.generatedTokens;
        cachedTokens = event.cachedTokens;
        // What OpenAI's clients know of a reply that was cut.
        finishReason = event.finishReason === 'deadline' ? 'length' : event.finishReason;
        if (finishReason === 'cancelled') return;
        const rest = stops.push(stream.flush()).text + stops.flush();
        if (rest) yield { type: 'text', text: rest, tokens: [] };
        const guesses = { guessed: event.draftTokens, accepted: event.acceptedTokens };
        yield { type: 'end', finishReason, cost: { promptTokens, completionTokens, cachedTokens, guesses } };
        return;
      }
      completionTokens++;
      cachedTokens = event.cachedTokens ?? cachedTokens;
      const { text, stop } = stops.push(stream.push(event.token));
      yield { type: 'text', text, tokens: [event] };
      if (stop === undefined) continue;
      finishReason = 'stop';
      yield { type: 'end', finishReason, stopText: stop, cost: { promptTokens, completionTokens, cachedTokens } };
      return;
    }
  } finally {
    const ms = performance.now() - startMs;
    const record = { model: model.id, finishReason, promptTokens, cachedTokens, completionTokens, ms };
    task.onEnd?.(record, task.signal);
  }
}

/** For nobody to read, unless the server itself is closing. */
export const cancelled = (): ApiError => new ApiError(503, 'cancelled', 'The generation was cancelled.');

/** The tasks of `count` replies to the prompt of one, which is computed once. */
export function branchesOf(task: GenerationTask, count: number): GenerationTask[] {
  const replies = task.model.engine.generateBranches(task.prompt, callOptions(task), count);
  return replies.map((events) => ({ ...task, events }));
}

function callOptions({ model, prompt, request, logProbs, maxTokens, signal }: GenerationTask): CallOptions {
  const room = model.contextTokens - prompt.length;
  return {
    sampling: samplingOptions(request, model.tokenizer, model.rng),
    maxTokens: Math.min(maxTokens ?? room, room),
    stopTokens: [...model.tokenizer.endOfGeneration],
    messageEnds: messageEnds(prompt, model),
    priority: request.priority ?? 0,
    deadlineMs: request.deadline_ms ?? undefined,
    maxDrafts: request['speculative.n_max'] ?? undefined,
    ...(logProbs === undefined ? {} : { logprobs: logProbs }),
    ...grammarOptions(request, model, prompt),
    ...beamOptions(request),
    ...adaptersOf(request.lora),
    signal,
  };
}

/** Behind the tokens that end a turn, the template's messages end. */
function messageEnds(prompt: Int32Array, { tokenizer: { endOfGeneration } }: ServedModel): number[] {
  const ends: number[] = [];
  for (const [i, token] of prompt.entries()) if (endOfGeneration.has(token)) ends.push(i + 1);
  return ends;
}
