// POST /v1/completions: a prompt continued. The prompt is the client's own: special tokens written in it are recognised,
// and BOS is added where the model wants it. `max_tokens` is 16 unless given, as OpenAI documents.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Endpoint, requestedModel } from '../endpoint.ts';
import { checkTask, type GenerationTask, generate } from '../generation.ts';
import { generationFields, readRequest } from '../generation-request.ts';
import { respond } from '../respond.ts';
import { createdSeconds, responseId, usage } from '../response-fields.ts';
import type { ServedModel } from '../served-model.ts';
import { type TextLogProbs, textLogProbs } from '../token-log-probs.ts';

const tokenIds = z.array(z.int().min(0));
const completionShape = z.looseObject({
  ...generationFields,
  prompt: z.union(
    [z.string(), tokenIds, z.tuple([z.string()]), z.tuple([tokenIds])],
    'expected one prompt: a string or a list of token ids',
  ),
  logprobs: z.int().min(0).max(20).nullish(),
});
type Prompt = z.infer<typeof completionShape>['prompt'];

const defaultMaxTokens = 16;

export const completions: Endpoint = {
  method: 'POST',
  path: '/v1/completions',
  async handle(context, server) {
    const request = await readRequest(context, completionShape);
    const model = requestedModel(server, request.model);
    const prompt = promptTokens(model, request.prompt);
    const task: GenerationTask = {
      model,
      prompt,
      request,
      maxTokens: request.max_tokens ?? defaultMaxTokens,
      ...(request.logprobs === null || request.logprobs === undefined ? {} : { logProbs: request.logprobs }),
      signal: context.req.raw.signal,
      onEnd: server.onGeneration,
    };
    checkTask(task, 'prompt');
    const head = { id: responseId('cmpl'), object: 'text_completion', created: createdSeconds(), model: model.id };
    const includeUsage = request.stream_options?.include_usage ?? false;
    const answer = { chunks: () => chunks(task, head, includeUsage), whole: () => whole(task, head) };
    return respond(server, answer, request.stream ?? false);
  },
};

function promptTokens({ tokenizer }: ServedModel, prompt: Prompt): Int32Array {
  const only =
    Array.isArray(prompt) && (typeof prompt[0] === 'string' || Array.isArray(prompt[0])) ? prompt[0] : prompt;
  if (typeof only === 'string') return tokenizer.encode(only, { addSpecial: true, parseSpecial: true });
  const ids = Int32Array.from(only as number[]);
  const unknown = ids.find((id) => id >= tokenizer.vocabSize);
  if (unknown === undefined) return ids;
  const message = `The prompt has token ${unknown}, but the vocabulary has ${tokenizer.vocabSize} tokens.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'prompt' });
}

const choiceOf = (text: string, logprobs: TextLogProbs | null, finishReason: string | null) => ({
  index: 0,
  text,
  logprobs,
  finish_reason: finishReason,
});

async function whole(task: GenerationTask, head: object): Promise<unknown> {
  let text = '';
  const tokens = [];
  for await (const event of generate(task)) {
    if (event.type === 'text') {
      text += event.text;
      tokens.push(...event.tokens);
      continue;
    }
    const logprobs = task.logProbs === undefined ? null : textLogProbs(task.model.tokenizer, tokens, 0);
    return {
      ...head,
      choices: [choiceOf(text, logprobs, event.finishReason)],
      usage: usage(task.prompt.length, event),
    };
  }
}

async function* chunks(task: GenerationTask, head: object, includeUsage: boolean): AsyncGenerator<unknown> {
  const shared = { ...head, ...(includeUsage ? { usage: null } : {}) };
  let offset = 0;
  for await (const event of generate(task)) {
    if (event.type === 'text') {
      const logprobs = task.logProbs === undefined ? null : textLogProbs(task.model.tokenizer, event.tokens, offset);
      offset += logprobs?.tokens.join('').length ?? 0;
      if (event.text || logprobs?.tokens.length) yield { ...shared, choices: [choiceOf(event.text, logprobs, null)] };
      continue;
    }
    yield { ...shared, choices: [choiceOf('', null, event.finishReason)] };
    const figures = usage(task.prompt.length, event);
    if (includeUsage) yield { ...shared, choices: [], usage: figures };
  }
}
