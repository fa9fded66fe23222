// llama-server's adapters: GET /lora-adapters lists them with the scales that requests get which do not say; POST sets these, and
// turns off those that it does not name. Running requests keep theirs.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { adapterField, checkAdapters } from '../generate/adapters.ts';
import { bodyText } from '../http/body-text.ts';
import { parseBody } from '../http/json-text.ts';

const path = '/lora-adapters';

export const loraAdapters: Endpoint = {
  method: 'GET',
  path,
  handle: (context, server) =>
    withModel(context, server, context.req.query('model'), ({ model: { engine } }) =>
      context.json(
        engine.adapters.map(({ id, path: file, scale }) => ({
          id,
          path: file,
          scale,
          task_name: '',
          prompt_prefix: '',
        })),
      ),
    ),
};

export const changeLoraAdapters: Endpoint = {
  method: 'POST',
  path,
  handle: async (context, server) => {
    const parsed = z.safeParse(adapterField, await parseBody(await bodyText(context)));
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new ApiError(400, 'invalid_value', `${issue.path.join('.') || 'The list'}: ${issue.message}.`);
    }
    return withModel(context, server, context.req.query('model'), ({ model }) => {
      checkAdapters(parsed.data, model);
      model.engine.setAdapterScales(parsed.data);
      return context.json({ success: true });
    });
  },
};
