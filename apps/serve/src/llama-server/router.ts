// POST /models/load and /models/unload of llama-server's router: a model loaded before a request needs it, or told to go.
// GET /models is OpenAI's list, with `status`.
import { z } from 'zod';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';

const shape = z.looseObject({ model: z.string().min(1) });

/** Answers when the model is there, or with why it is not. */
export const loadModel: Endpoint = {
  method: 'POST',
  path: '/models/load',
  async handle(context, server) {
    const { model } = await readRequest(context, shape);
    return withModel(context, server, model, ({ model: { id } }) => context.json({ success: true, model: id }));
  },
};

/** Requests that run are finished first. */
export const unloadModel: Endpoint = {
  method: 'POST',
  path: '/models/unload',
  async handle(context, server) {
    const { model } = await readRequest(context, shape);
    server.models.unload(model);
    return context.json({ success: true });
  },
};
