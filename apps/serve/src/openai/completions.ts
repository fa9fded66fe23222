// POST /v1/completions: prompts continued, or text inserted between `prompt` and `suffix`. Prompts are the client's own: special
// tokens written in them are recognised, and BOS is added where the model wants it. `max_tokens` is 16 unless given, as OpenAI
// documents.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Endpoint, type ServerState, withModel } from '../endpoint.ts';
import { lengthFields, maxTokensOf } from '../generate/ending-fields.ts';
import { fillInPrompt } from '../generate/fill-in.ts';
import { branchesOf, checkTask, type GenerationTask } from '../generate/generation.ts';
import { generationFields, readRequest } from '../generate/generation-request.ts';
import { checkReplies, promptField, readPrompts, type TextPrompt } from '../generate/text-prompts.ts';
import type { ModelLease } from '../models/model-host.ts';
import type { ServedModel } from '../models/served-model.ts';
import { respond } from '../respond.ts';
import { openAiStream } from '../stream-form.ts';
import { type CompletionForm, completionChunks, type PromptReplies, wholeCompletion } from './completion-reply.ts';
import { extraFields, extrasOf } from './extras.ts';
import { createdSeconds, fingerprint, responseId } from './response-fields.ts';

const tokenCount = z.int('expected a number of tokens, or -1 for as many as there is room for').min(-1).nullish();
const completionShape = z.looseObject({
  ...generationFields,
  ...lengthFields,
  ...extraFields,
  /** 0 computes the prompt alone. */
  max_tokens: tokenCount,
  n_predict: tokenCount,
  prompt: promptField,
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  /** vLLM's: false leaves BOS out. */
  add_special_tokens: z.boolean().nullish(),
});
type CompletionRequest = z.infer<typeof completionShape>;

const defaultMaxTokens = 16;

export const completions: Endpoint = {
  method: 'POST',
  path: '/v1/completions',
  async handle(context, server) {
    const request = await readRequest(context, completionShape);
    const reply = (lease: ModelLease) => complete(request, lease, server, context.req.raw.signal);
    return withModel(context, server, request.model, reply, request.stream ? openAiStream : undefined);
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
  const prompts = await promptsOf(model, request, signal);
  checkReplies(prompts.length, bestOf);
  const tasks = prompts.map(
    ({ ids }): GenerationTask => ({
      ...{ model, prompt: ids, request, signal, onEnd: server.onGeneration },
      maxTokens: maxTokensOf(request, model.defaults.maxTokens ?? defaultMaxTokens),
      // Candidates are compared by their log probabilities.
      ...(logProbs === undefined && candidates === count ? {} : { logProbs: logProbs ?? 0 }),
    }),
  );
  for (const task of tasks) await checkTask(task, 'prompt');
  const form: CompletionForm = {
    model,
    head: {
      ...{ id: responseId('cmpl'), object: 'text_completion', created: createdSeconds(), model: model.id },
      ...fingerprint,
    },
    logProbs,
    tokensAsIds: request.return_tokens_as_token_ids ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
    count,
  };
  const replies = (branches: number): PromptReplies[] =>
    tasks.map((task, at) => ({
      branches: branchesOf(task, branches),
      extras: extrasOf(request, task.prompt),
      ...{ task, echo: request.echo ? prompts[at]!.text : '' },
    }));
  const answer = {
    chunks: () => completionChunks(replies(count), form),
    whole: () => wholeCompletion(replies(candidates), form),
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

/** @throws ApiError 400 */
async function promptsOf(model: ServedModel, request: CompletionRequest, signal: AbortSignal): Promise<TextPrompt[]> {
  const { suffix } = request;
  const origin = { param: 'prompt', signal };
  const prompts = await readPrompts(model, request.prompt, request.add_special_tokens ?? true, origin);
  if (!suffix) return prompts;
  const filled = async ({ text }: TextPrompt): Promise<TextPrompt> => ({
    text,
    ids: await fillInPrompt(model, { prefix: text, suffix }, { param: 'suffix', signal }),
  });
  return Promise.all(prompts.map(filled));
}
