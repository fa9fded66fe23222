// POST /infill: what a model writes between two texts, by its own tokens for that (docs of llama-server: "For code infilling").
import { z } from 'zod';
import { type Endpoint, withModel } from '../endpoint.ts';
import { fillInPrompt } from '../generate/fill-in.ts';
import { readRequest } from '../generate/generation-request.ts';
import { complete } from './completion.ts';
import { completionFields } from './completion-fields.ts';

const shape = z.looseObject({
  ...completionFields,
  input_prefix: z.string(),
  input_suffix: z.string(),
  input_extra: z
    .array(z.looseObject({ text: z.string(), filename: z.string().nullish() }))
    .max(1024)
    .nullish(),
  /** Where the middle has been begun. */
  prompt: z.string().nullish(),
});

export const infill: Endpoint = {
  method: 'POST',
  path: '/infill',
  async handle(context, server) {
    const request = await readRequest(context, shape);
    const { signal } = context.req.raw;
    return withModel(context, server, request.model, async (lease) => {
      const { input_prefix: prefix, input_suffix: suffix, input_extra: others, prompt: begun } = request;
      const text = { prefix, suffix, others: others ?? [], begun: begun ?? '' };
      const ids = await fillInPrompt(lease.model, text, { param: 'input_prefix', signal });
      return complete(request, [ids], { lease, server, signal, param: 'input_prefix' });
    });
  },
};
