// A created model as something to be served. Where it differs from its base in what its requests begin with and in defaults alone, it
// answers with the weights that are loaded for its base; adapters, a context of its own and files of its own want a load of their own.
import { createHash } from 'node:crypto';
import type { CreatedModel, CreatedModels } from '@quern/checkpoint';
import type { ModelSource } from '../models/many-models.ts';
import { modelChat } from '../models/model-chat.ts';
import type { CreatedPart, ServedModel } from '../models/served-model.ts';
import { createdPart } from './created-part.ts';
import { requireTemplate } from './require-template.ts';

/**
 * @param base how its weights are loaded: as those of the model that it was made from, or as the server's flags say
 * @throws QuernError `manifest-damaged`, and those of `requireTemplate`
 */
export function createdSource(model: CreatedModel, base: ModelSource, models: CreatedModels): ModelSource {
  const { name, weights, adapters, parameters, template } = model;
  const created = createdPart(model);
  if (template !== undefined) requireTemplate(template);
  const contextTokens = typeof parameters.num_ctx === 'number' ? parameters.num_ctx : undefined;
  const shares = 'reference' in weights && adapters.length === 0 && contextTokens === undefined;
  const ownKey = (): string =>
    createHash('sha256')
      .update(JSON.stringify([base.id, weights, adapters, contextTokens]))
      .digest('hex');
  return {
    ...{ id: name, aliases: [], created: model, override: base.override },
    reference: base.reference,
    ...('reference' in weights && { onDisk: base.onDisk }),
    isGone: async () => !(await models.has(name)),
    weights: shares ? (base.weights ?? base.id) : ownKey(),
    contextTokens: contextTokens ?? base.contextTokens,
    cacheTokens: base.cacheTokens,
    locate: 'reference' in weights ? base.locate : () => models.pathOf(weights),
    async load(path, onProgress) {
      if (shares) return base.load(path, onProgress);
      const files = await Promise.all(adapters.map(({ digest }) => models.fileOf(digest)));
      return base.load(path, onProgress, {
        ...(contextTokens !== undefined && { contextTokens }),
        ...(files.length > 0 && { adapters: files.map((file) => ({ path: file, scale: 1 })) }),
      });
    },
    dress: onceEach((loaded) => dressed(loaded, created)),
  };
}

/** However often it is asked for: a template is analysed on the way. */
function onceEach(make: (loaded: ServedModel) => ServedModel): (loaded: ServedModel) => ServedModel {
  const made = new WeakMap<ServedModel, ServedModel>();
  return (loaded) => {
    const known = made.get(loaded) ?? make(loaded);
    made.set(loaded, known);
    return known;
  };
}

function dressed(loaded: ServedModel, created: CreatedPart): ServedModel {
  const { name, template, createdMs } = created.model;
  const sampling = { ...loaded.defaults.sampling, ...created.defaults.sampling };
  return {
    ...loaded,
    ...{ id: name, createdSeconds: Math.floor(createdMs / 1000), created },
    ...(template !== undefined && { chat: modelChat(loaded.tokenizer, template) }),
    defaults: { ...loaded.defaults, ...created.defaults, sampling },
  };
}
