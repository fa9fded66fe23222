// One generation as text: the engine's tokens become UTF-8 text (held back while a character is incomplete), which stop
// strings cut short. Chat and text completions, streamed or not, all read these events.
import { setImmediate } from 'node:timers/promises';
import type { CallOptions, GenerateEvent, TokenEvent } from '@quern/engine';
import { StopMatcher, TextStream } from '@quern/tokenizer';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { adaptersOf, checkAdapters } from './adapters.ts';
import { beamOptions } from './beam-fields.ts';
import type { ReplyCost } from './cost.ts';
import { stopStrings } from './ending-fields.ts';
import type { GenerationRequest } from './generation-request.ts';
import { type Constraint, checkConstraint, requestConstraint } from './grammar-request.ts';
import { LineLimit, ReplyClock } from './reply-clock.ts';
import { withDefaults } from './request-defaults.ts';
import { findBreakers, logitBiasOf, samplingOptions } from './sampling-fields.ts';
import { tokenRules } from './token-rule-fields.ts';

export type FinishReason = 'stop' | 'length';

/** `tokens` are those sampled since the last event; their text may come later, when a character is complete. */
export type GenerationEvent =
  | { type: 'text'; text: string; tokens: readonly TokenEvent[]; cost: ReplyCost }
  | {
      type: 'end';
      finishReason: FinishReason;
      /** The text of `stop` that ended it. */
      stopText?: string;
      /** The token of `stop_token_ids` that ended it. */
      stopToken?: number;
      /** The token that ended it, of the request or of the model. */
      endToken?: number;
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
  /** Undefined: until the model ends its turn or the context is full. 0: the prompt is computed, and nothing follows. */
  maxTokens: number | undefined;
  /** How many alternatives per token to report; undefined: no log probabilities. */
  logProbs?: number;
  /** How many likely tokens to report of those that the sampler left; undefined: none. */
  samplingProbs?: number;
  /** Control tokens that are written as their text. */
  shown?: ReadonlySet<number>;
  /** What holds the reply, where it is more than the request's own fields say. */
  constraint?: Constraint;
  /** Texts that the reply does not have, beside the request's `bad_words`. */
  forbidden?: readonly string[];
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
export async function checkTask(task: GenerationTask, param: string): Promise<void> {
  const { model, request, maxTokens } = task;
  if (model.engine.info.embeddings) {
    const message = `The model "${model.id}" makes vectors of texts and generates nothing; use /v1/embeddings.`;
    throw new ApiError(400, 'not_a_generating_model', message, { param: 'model' });
  }
  const { vocabSize } = model.tokenizer;
  // A whole vocabulary may be named, which takes as long to read as to check: others are answered in between.
  if (request.logit_bias) await setImmediate();
  const named = {
    logit_bias: logitBiasOf(request, model.tokenizer).keys(),
    stop_token_ids: request.stop_token_ids ?? [],
    allowed_token_ids: request.allowed_token_ids ?? [],
  };
  for (const [field, ids] of Object.entries(named)) {
    const unknown = [...ids].find((id) => id >= vocabSize);
    if (unknown === undefined) continue;
    const message = `${field} names token ${unknown}, but the vocabulary has ${vocabSize} tokens.`;
    throw new ApiError(400, 'invalid_value', message, { param: field });
  }
  const least = request.min_tokens ?? 0;
  if (maxTokens !== undefined && least > maxTokens) {
    const message = `min_tokens (${least}) is more than the reply may have (${maxTokens}).`;
    throw new ApiError(400, 'invalid_value', message, { param: 'min_tokens' });
  }
  checkAdapters(request.lora, model);
  await findBreakers(withDefaults(request, model.defaults), model.tokenizer);
  beamOptions(request);
  requireRoomForReply(task, param);
  await checkConstraint(constraintOf(task), model, task.signal);
}

/** @throws ApiError 400 `empty_prompt`, `context_length_exceeded` */
function requireRoomForReply({ model, prompt }: GenerationTask, param: string): void {
  if (prompt.length === 0) throw new ApiError(400, 'empty_prompt', 'The prompt has no tokens.', { param });
  if (prompt.length < model.contextTokens) return;
  const message =
    `The prompt has ${prompt.length} tokens; the maximum context length is ${model.contextTokens} tokens, ` +
    'of which at least one is needed for the reply.';
  const tokens = { prompt: prompt.length, context: model.contextTokens };
  throw new ApiError(400, 'context_length_exceeded', message, { param, tokens });
}

/** Runs a generation. Leaving the loop early cancels it in the engine. */
export async function* generate(task: GenerationTask): AsyncGenerator<GenerationEvent> {
  const { model, prompt, request } = task;
  const shown = task.shown ?? new Set();
  const stream = new TextStream(model.tokenizer, { special: request.skip_special_tokens === false, shown });
  const stops = new StopMatcher(stopStrings(request, model.defaults.stop));
  const writesStop = request.include_stop_str_in_output ?? false;
  const events = task.events ?? model.engine.generate(prompt, callOptions(task));
  const clock = new ReplyClock(prompt.length);
  const late = new LineLimit(request.t_max_predict_ms);
  let finishReason: GenerationRecord['finishReason'] = 'cancelled';
  try {
    for await (const event of events) {
      const ended = 'finishReason' in event;
      if (ended && event.finishReason === 'cancelled') return clock.end(event);
      if (task.maxTokens === 0) {
        clock.prompt(event);
        finishReason = 'length';
        yield { type: 'end', finishReason, cost: clock.cost };
        return;
      }
      if (ended) {
        clock.end(event);
        // What OpenAI's clients know of a reply that was cut.
        finishReason = event.finishReason === 'stop' ? 'stop' : 'length';
        const { stopToken } = event;
        const asked = stopToken !== undefined && (request.stop_token_ids?.includes(stopToken) ?? false);
        const last = asked && writesStop ? stream.push(stopToken) : '';
        const rest = stops.push(last + stream.flush()).text + stops.flush();
        if (rest) yield { type: 'text', text: rest, tokens: [], cost: clock.cost };
        yield { type: 'end', finishReason, ...(asked && { stopToken }), endToken: stopToken, cost: clock.cost };
        return;
      }
      clock.token(event);
      const written = stream.push(event.token);
      const mayStop = clock.cost.completionTokens > (request.min_tokens ?? 0);
      const { text, stop } = mayStop ? stops.push(written) : { text: written };
      const shows = writesStop && stop !== undefined ? text + stop : text;
      yield { type: 'text', text: shows, tokens: [event], cost: clock.cost };
      if (stop === undefined && !late.isOver(text)) continue;
      finishReason = stop === undefined ? 'length' : 'stop';
      yield { type: 'end', finishReason, stopText: stop, cost: clock.cost };
      return;
    }
  } finally {
    const { promptTokens, cachedTokens, completionTokens } = clock.cost;
    const record = { model: model.id, finishReason, promptTokens, cachedTokens, completionTokens, ms: clock.ms };
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

const constraintOf = ({ constraint, request, model, prompt }: GenerationTask): Constraint | undefined =>
  constraint ?? requestConstraint(request, model, prompt);

function callOptions(task: GenerationTask): CallOptions {
  const { model, prompt, request, logProbs, samplingProbs, maxTokens, signal } = task;
  const { grammar, grammarTrigger } = constraintOf(task) ?? {};
  const room = model.contextTokens - prompt.length;
  return {
    sampling: samplingOptions(withDefaults(request, model.defaults), model.tokenizer, model.rng),
    // The engine gives one token at least; `generate` drops it where none is wanted.
    maxTokens: Math.max(1, Math.min(maxTokens ?? model.defaults.maxTokens ?? room, room)),
    stopTokens: [...model.tokenizer.endOfGeneration, ...(request.stop_token_ids ?? [])],
    messageEnds: messageEnds(prompt, model),
    priority: request.priority ?? 0,
    deadlineMs: request.deadline_ms ?? undefined,
    maxDrafts: request['speculative.n_max'] ?? undefined,
    ...(logProbs === undefined ? {} : { logprobs: logProbs }),
    ...(samplingProbs === undefined ? {} : { samplingProbs }),
    grammar,
    grammarTrigger,
    ...beamOptions(request),
    ...tokenRules(request, model.tokenizer, task.forbidden),
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
