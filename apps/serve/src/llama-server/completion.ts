// POST /completion: llama-server's own completions. Prompts are text, tokens, both mixed, or lists of these.
import { z } from 'zod';
import { type Endpoint, type ServerState, withModel } from '../endpoint.ts';
import { maxTokensOf } from '../generate/ending-fields.ts';
import { branchesOf, checkTask, type GenerationTask } from '../generate/generation.ts';
import { readRequest } from '../generate/generation-request.ts';
import { checkReplies, promptField, readPrompts } from '../generate/text-prompts.ts';
import type { ModelLease } from '../models/model-host.ts';
import { respond } from '../respond.ts';
import { type CompletionRequest, completionFields, probabilitiesOf, withUsualSampling } from './completion-fields.ts';
import { completionChunks, wholeCompletion } from './completion-reply.ts';
import { eventStream } from './error-body.ts';

const shape = z.looseObject({ ...completionFields, prompt: promptField });

export const completion: Endpoint = {
  method: 'POST',
  path: '/completion',
  aliases: ['/completions'],
  async handle(context, server) {
    const request = await readRequest(context, shape);
    const { signal } = context.req.raw;
    return withModel(context, server, request.model, async (lease) => {
      const prompts = await readPrompts(lease.model, request.prompt, true, { param: 'prompt', signal });
      const ids = prompts.map((prompt) => prompt.ids);
      return complete(request, ids, { lease, server, signal, param: 'prompt' });
    });
  },
};

export interface CompletionPlace {
  readonly lease: ModelLease;
  readonly server: ServerState;
  readonly signal: AbortSignal;
  /** The field that the prompts came from. */
  readonly param: string;
}

/** @throws ApiError 400 */
export async function complete(
  given: CompletionRequest,
  prompts: readonly Int32Array[],
  { lease, server, signal, param }: CompletionPlace,
): Promise<Response> {
  const { model } = lease;
  const request = withUsualSampling(given, model.defaults);
  const logProbs = probabilitiesOf(request);
  const tasks = prompts.map(
    (prompt): GenerationTask => ({
      ...{ model, prompt, request, signal, onEnd: server.onGeneration },
      maxTokens: maxTokensOf(request, model.defaults.maxTokens),
      ...(request.post_sampling_probs ? { samplingProbs: logProbs } : { logProbs }),
    }),
  );
  const count = request.n_cmpl ?? request.n ?? 1;
  checkReplies(tasks.length, count);
  for (const task of tasks) await checkTask(task, param);
  const branches = () => tasks.flatMap((task) => branchesOf(task, count));
  const answer = {
    chunks: () => completionChunks(branches(), request),
    whole: () => wholeCompletion(branches(), request),
  };
  return respond(server, lease, answer, request.stream ? eventStream : undefined);
}
