// What a created model's description says, in the terms of the server.
import type { CreatedModel } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { templateMessages } from '../chat/messages.ts';
import { atOnce } from '../http/pauses.ts';
import { defaultsOf, modelOptions } from '../models/model-options.ts';
import type { CreatedPart } from '../models/served-model.ts';
import { messageOf, messageShape } from '../ollama/messages.ts';

/** @throws QuernError `manifest-damaged`: the file was changed by hand */
export function createdPart(model: CreatedModel): CreatedPart {
  const options = modelOptions.safeParse(model.parameters);
  const messages = model.messages.map((message) => messageShape.safeParse(message));
  const fault = [options, ...messages].find(({ success }) => !success);
  if (!options.success || fault) {
    const [issue] = fault!.error!.issues;
    const message = `The description of "${model.name}" cannot be used: ${issue!.path.join('.')}: ${issue!.message}.`;
    throw new QuernError('manifest-damaged', message, { remedy: 'Create it again.' });
  }
  return {
    model,
    defaults: defaultsOf(options.data),
    opening: atOnce(templateMessages(messages.map(({ data }) => messageOf(data!)))),
  };
}
