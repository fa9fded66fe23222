// GET /props: what the server and its model are like. POST would change them; llama-server does so with --props alone, and has nothing
// to change either.
import { ApiError } from '../api-error.ts';
import { type Endpoint, withLoadedModel } from '../endpoint.ts';
import { version } from '../version.ts';
import { defaultSettings } from './completion-fields.ts';

export const props: Endpoint = {
  method: 'GET',
  path: '/props',
  handle: (context, server) =>
    withLoadedModel(context, server, ({ model }) => {
      const { tokenizer, engine, chat } = model;
      const piece = (id: number | undefined) => (id === undefined ? '' : tokenizer.piece(id));
      return context.json({
        default_generation_settings: defaultSettings(model),
        ...{ total_slots: engine.info.maxSequences, model_alias: model.id, model_path: model.path },
        modalities: { vision: false, video: false, audio: false },
        ...{ endpoint_slots: true, endpoint_props: false, endpoint_metrics: true },
        ...{ chat_template: chat.isGuess ? '' : chat.template, chat_template_caps: {} },
        ...{ bos_token: piece(tokenizer.bos), eos_token: piece(tokenizer.eos) },
        ...{ build_info: `quern ${version}`, is_sleeping: false },
      });
    }),
};

export const changeProps: Endpoint = {
  method: 'POST',
  path: '/props',
  handle: () => {
    throw new ApiError(501, 'not_supported', 'The properties of this server cannot be changed while it runs.');
  },
};
