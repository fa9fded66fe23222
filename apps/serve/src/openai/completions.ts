// POST /v1/completions: a prompt continued. The prompt is the client's own: special tokens written in it are recognised,
// and BOS is added where the model wants it. `max_tokens` is 16 unless given, as OpenAI documents.
import type { TokenEvent } from '@quern/engine';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Endpoint, type ServerState, withModel } from '../endpoint.ts';
import { costOfAll, type ReplyCost } from '../generate/cost.ts';
import {
  branchesOf,
  cancelled,
  checkTask,
  type FinishReason,
  type GenerationTask,
  generate,
} from '../generate/generation.ts';
import { generationFields, readRequest } from '../generate/generation-request.ts';
import { interleave } from '../generate/interleave.ts';
import type { ModelLease } from '../models/model-host.ts';
import type { ServedModel } from '../models/served-model.ts';
import { respond } from '../respond.ts';
import { openAiStream } from '../stream-form.ts';
import { encodePrompt } from '../text/encode-text.ts';
import { createdSeconds, responseId, usage } from './response-fields.ts';
import { type TextLogProbs, textLogProbs } from './token-log-probs.ts';

const tokenIds = z.array(z.int().min(0));
const completionShape = z.looseObject({
  ...generationFields,
  prompt: z.union(
    [z.string(), tokenIds, z.tuple([z.string()]), z.tuple([tokenIds])],
    'expected one prompt: a string or a list of token ids',
  ),
  logprobs: z.int().min(0).max(20).nullish(),
});
type CompletionRequest = z.infer<typeof completionShape>;
type Prompt = CompletionRequest['prompt'];

const defaultMaxTokens = 16;

export const completions: Endpoint = {
  method: 'POST',
  path: '/v1/completions',
  async handle(context, server) {
    const request = await readRequest(context, completionShape);
    return withModel(context, server, request.model, (lease) =>
      complete(request, lease, server, context.req.raw.signal),
    );
  },
};

async function complete(
  request: CompletionRequest,
  lease: ModelLease,
  server: ServerState,
  signal: AbortSignal,
): Promise<Response> {
  const { model } = lease;
  const logProbs = request.logprobs ?? undefined;
  const count = request.n ?? 1;
  // A beam search finds the best itself.
  const bestOf = request.use_beam_search ? count : (request.best_of ?? count);
  const candidates = candidatesOf(count, bestOf, request.stream ?? false);
  const task: GenerationTask = {
    model,
    prompt: await promptTokens(model, request.prompt, signal),
    request,
    maxTokens: request.max_tokens ?? defaultMaxTokens,
    // Candidates are compared by their log probabilities.
    ...(logProbs === undefined && candidates === count ? {} : { logProbs: logProbs ?? 0 }),
    signal,
    onEnd: server.onGeneration,
  };
  checkTask(task, 'prompt');
  const form = {
    head: { id: responseId('cmpl'), object: 'text_completion', created: createdSeconds(), model: model.id },
    showsLogProbs: logProbs !== undefined,
    includeUsage: request.stream_options?.include_usage ?? false,
  };
  const answer = {
    chunks: () => chunks(branchesOf(task, count), form),
    whole: () => whole(branchesOf(task, candidates), count, form),
  };
  return respond(server, lease, answer, request.stream ? openAiStream : undefined);
}

/** How many replies are generated. @throws ApiError 400 when they are not enough, or would have to wait for each other */
function candidatesOf(count: number, bestOf: number, stream: boolean): number {
  if (bestOf < count)
    throw new ApiError(400, 'invalid_value', `best_of (${bestOf}) must be at least n (${count}).`, {
      param: 'best_of',
    });
  if (bestOf > count && stream)
    throw new ApiError(400, 'invalid_value', 'best_of cannot be streamed: the best reply is known at the end.', {
      param: 'best_of',
    });
  return bestOf;
}

async function promptTokens(model: ServedModel, prompt: Prompt, signal: AbortSignal): Promise<Int32Array> {
  const only =
    Array.isArray(prompt) && (typeof prompt[0] === 'string' || Array.isArray(prompt[0])) ? prompt[0] : prompt;
  if (typeof only === 'string')
    return encodePrompt(model, only, { addSpecial: true, parseSpecial: true }, { param: 'prompt', signal });
  const { vocabSize } = model.tokenizer;
  const ids = Int32Array.from(only as number[]);
  const unknown = ids.find((id) => id >= vocabSize);
  if (unknown === undefined) return ids;
  const message = `The prompt has token ${unknown}, but the vocabulary has ${vocabSize} tokens.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'prompt' });
}

interface Form {
  readonly head: object;
  readonly showsLogProbs: boolean;
  readonly includeUsage: boolean;
}

const choiceOf = (index: number, text: string, logprobs: TextLogProbs | null, finishReason: string | null) => ({
  index,
  text,
  logprobs,
  finish_reason: finishReason,
});

interface Reply {
  readonly text: string;
  readonly tokens: readonly TokenEvent[];
  readonly finishReason: FinishReason;
  readonly cost: ReplyCost;
}

async function readReply(task: GenerationTask): Promise<Reply> {
  let text = '';
  const tokens: TokenEvent[] = [];
  for await (const event of generate(task)) {
    if (event.type === 'end') {
      return { text, tokens, finishReason: event.finishReason, cost: event.cost };
    }
    text += event.text;
    tokens.push(...event.tokens);
  }
  throw cancelled();
}

/** Mean log probability of its tokens: what `best_of` compares. */
const likelihood = ({ tokens }: Reply): number =>
  tokens.reduce((sum, { logprob }) => sum + logprob!, 0) / Math.max(1, tokens.length);

async function whole(tasks: readonly GenerationTask[], count: number, { head, showsLogProbs }: Form): Promise<unknown> {
  const replies = await Promise.all(tasks.map(readReply));
  const best = replies.length === count ? replies : [...replies].sort((a, b) => likelihood(b) - likelihood(a));
  const { model } = tasks[0]!;
  const choices = best.slice(0, count).map(({ text, tokens, finishReason }, index) => {
    const logprobs = showsLogProbs ? textLogProbs(model.tokenizer, tokens, 0) : null;
    return choiceOf(index, text, logprobs, finishReason);
  });
  return {
    ...head,
    choices,
    usage: usage(costOfAll(replies.map(({ cost }) => cost))),
  };
}

async function* chunks(tasks: readonly GenerationTask[], form: Form): AsyncGenerator<unknown> {
  const { head, showsLogProbs, includeUsage } = form;
  const shared = { ...head, ...(includeUsage ? { usage: null } : {}) };
  const offsets = tasks.map(() => 0);
  const costs: ReplyCost[] = [];
  const { model } = tasks[0]!;
  for await (const { index, value: event } of interleave(tasks.map(generate))) {
    if (event.type === 'text') {
      const logprobs = showsLogProbs ? textLogProbs(model.tokenizer, event.tokens, offsets[index]!) : null;
      offsets[index]! += logprobs?.tokens.join('').length ?? 0;
      if (event.text || logprobs?.tokens.length)
        yield { ...shared, choices: [choiceOf(index, event.text, logprobs, null)] };
      continue;
    }
    yield { ...shared, choices: [choiceOf(index, '', null, event.finishReason)] };
    costs.push(event.cost);
  }
  if (includeUsage) yield { ...shared, choices: [], usage: usage(costOfAll(costs)) };
}
