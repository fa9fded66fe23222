// POST /api/generate: one prompt, through the model's template unless `raw`; between `prompt` and `suffix` where that is given. A client that
// sends the last reply's `context` with its next prompt goes on with the conversation.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { prepareChat } from '../chat/chat.ts';
import type { ChatEvent } from '../chat/reply.ts';
import type { ServerState } from '../endpoint.ts';
import { fillInPrompt } from '../generate/fill-in.ts';
import { checkTask, type GenerationTask, generate as generateText } from '../generate/generation.ts';
import { readRequest } from '../generate/generation-request.ts';
import { tokenIds } from '../large-shapes.ts';
import type { ModelLease } from '../models/model-host.ts';
import { respond } from '../respond.ts';
import { lineStream } from '../stream-form.ts';
import { encodePrompt } from '../text/encode-text.ts';
import { requireTokens } from '../text/require-tokens.ts';
import { thinkingOf } from './chat.ts';
import { ollamaEndpoint } from './ollama-endpoint.ts';
import { answerOf, headOf, type Piece, pieces } from './reply-events.ts';
import { checkContext, generationOf, logProbsOf, maxTokensOf, sharedFields } from './request-fields.ts';
import { loadedReason, withOllamaModel } from './with-model.ts';

const generateShape = z.looseObject({
  ...sharedFields,
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  raw: z.boolean().nullish(),
  images: z.array(z.unknown()).max(0, 'no images are read').nullish(),
  template: z.literal('', 'the model’s own template is used; render another yourself and send it with raw').nullish(),
  context: tokenIds.nullish(),
});
type OllamaGenerateRequest = z.infer<typeof generateShape>;

export const generate = ollamaEndpoint('POST', '/api/generate', async (context, server) => {
  const request = await readRequest(context, generateShape);
  return withOllamaModel(context, server, request, async ({ lease, startMs }) => {
    const { model } = lease;
    checkContext(request, model);
    if (!request.prompt && !request.suffix)
      return Response.json({
        ...headOf(model),
        ...{ response: '', done: true, done_reason: loadedReason(request.keep_alive) },
      });
    const { reply, contextOf } = await replyTo(request, lease, server, context.req.raw.signal);
    const told = () => pieces(reply(), startMs, contextOf);
    const answer = answerOf(told, model, request.logprobs ?? false, responseFields);
    return respond(server, lease, answer, (request.stream ?? true) ? lineStream : undefined);
  });
});

/** @throws ApiError 400 */
async function replyTo(
  request: OllamaGenerateRequest,
  lease: ModelLease,
  server: ServerState,
  signal: AbortSignal,
): Promise<{ reply: () => AsyncGenerator<ChatEvent>; contextOf?: () => { context: readonly number[] } }> {
  const { prompt, suffix, system, raw } = request;
  const before = request.context ?? [];
  const text = prompt ?? '';
  const { model } = lease;
  const generation = { request: generationOf(request, model), maxTokens: maxTokensOf(request), ...logProbsOf(request) };
  if (!raw && !suffix) {
    const messages = [
      ...(system ? [{ role: 'system' as const, content: system }] : []),
      { role: 'user' as const, content: text },
    ];
    requireTokens(before, model, 'context');
    const chat = await prepareChat(lease, { messages, before, ...thinkingOf(request), ...generation }, server, signal);
    const said: number[] = [];
    return {
      reply: () => noting(chat.replies(1)[0]!, said),
      contextOf: () => ({ context: [...chat.prompt, ...said] }),
    };
  }
  for (const [param, given] of Object.entries({ system, context: before.length > 0 })) {
    if (!given) continue;
    const message = `${param}: a raw prompt, or one with a suffix, is taken as it is.`;
    throw new ApiError(400, 'invalid_value', message, { param });
  }
  const ids = suffix
    ? await fillInPrompt(model, { prefix: text, suffix }, { param: 'suffix', signal })
    : await encodePrompt(model, text, { addSpecial: true, parseSpecial: true }, { param: 'prompt', signal });
  const task: GenerationTask = { model, prompt: ids, ...generation, signal, onEnd: server.onGeneration };
  await checkTask(task, 'prompt');
  return { reply: () => contentOnly(task) };
}

/** @param said gets the tokens of the reply, with the one that ends its turn */
async function* noting(events: AsyncGenerator<ChatEvent>, said: number[]): AsyncGenerator<ChatEvent> {
  for await (const event of events) {
    if (event.type === 'reply') said.push(...event.tokens.map(({ token }) => token));
    else if (event.endToken !== undefined) said.push(event.endToken);
    yield event;
  }
}

/** A text of no chat: all of it is content. */
async function* contentOnly(task: GenerationTask): AsyncGenerator<ChatEvent> {
  for await (const event of generateText(task)) {
    const { cost } = event;
    if (event.type === 'end') yield { type: 'end', finishReason: event.finishReason, cost };
    else
      yield {
        type: 'reply',
        parts: event.text ? [{ type: 'content', text: event.text }] : [],
        tokens: event.tokens,
        cost,
      };
  }
}

const responseFields = ({ content = '', thinking }: Partial<Piece>): object => ({
  response: content,
  ...(thinking && { thinking }),
});
