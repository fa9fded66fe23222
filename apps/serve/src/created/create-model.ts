// A created model from what is said of it: everything is looked at before it counts, so that what was created can be used.
import { type CreatedModel, type CreatedModels, createdName, type ModelView } from '@quern/checkpoint';
import { networkOf, openAdapter, openModel } from '@quern/models';
import { parseDigest } from '@quern/source';
import { renderChat, tokenizerFromGguf } from '@quern/tokenizer';
import { withOpening } from '../chat/opening.ts';
import { modelChat } from '../models/model-chat.ts';
import type { CreateRequest, CreateState } from './create-request.ts';
import { createdPart } from './created-part.ts';
import { asField, faultOf } from './field-fault.ts';
import { quantized, quantizingPlan } from './quantized.ts';
import { requireTemplate } from './require-template.ts';

/** What a model is made from. */
export interface Base {
  /** As it is called; undefined: files that were sent. */
  readonly from?: string;
  readonly weights: CreatedModel['weights'];
  /** Where its weights lie. */
  readonly path: string;
  /** Of one that was created itself: what it does not say anew is as there. */
  readonly created?: CreatedModel;
}

/** What whoever is going to serve a model has to say of it, before any work. */
export type CreateCheck = (model: CreatedModel, view: ModelView) => void;

/**
 * Tells what it does, and returns the model, which is not kept yet. What is wrong with the request shows before the first state.
 * @throws ApiError 400 with the field, QuernError `disk-full` and those of writing
 */
export async function* createModel(
  name: string,
  request: CreateRequest,
  base: Base,
  models: CreatedModels,
  signal: AbortSignal,
  check: CreateCheck = () => {},
): AsyncGenerator<CreateState, CreatedModel> {
  const type = request.quantize || request.quantization || undefined;
  const model = await describedModel(name, { ...request, quantize: type }, base, models, check);
  yield { status: 'digest' in base.weights ? 'parsing GGUF' : 'reading model metadata' };
  const digest = type ? yield* quantized(base.path, type, models.blobs, signal) : undefined;
  const made = digest === undefined ? model : { ...model, weights: { digest } };
  const { weights } = made;
  const own = 'digest' in weights ? [weights] : 'files' in weights ? weights.files : [];
  for (const layer of [...own, ...made.adapters]) yield { status: `using existing layer ${layer.digest}` };
  for (const part of ['template', 'system', 'parameters', 'messages', 'license'] as const)
    if (request[part]) yield { status: `creating ${part} layer` };
  yield { status: 'writing manifest' };
  return made;
}

async function describedModel(
  name: string,
  request: CreateRequest,
  base: Base,
  models: CreatedModels,
  check: CreateCheck,
): Promise<CreatedModel> {
  const before = base.created;
  const given = <Value>(value: Value | null | undefined): Value | undefined => value || undefined;
  const licenses = typeof request.license === 'string' ? [request.license] : (request.license ?? []);
  const adapters = [...(before?.adapters ?? []), ...adaptersOf(request)];
  const model: CreatedModel = {
    name: asField('model', () => createdName(name)),
    from: base.from,
    weights: base.weights,
    adapters,
    template: given(request.template) ?? before?.template,
    system: given(request.system) ?? before?.system,
    parameters: { ...before?.parameters, ...withoutNothing(request.parameters ?? {}) },
    messages: request.messages?.length ? request.messages : (before?.messages ?? []),
    license: [...new Set([...(before?.license ?? []), ...licenses.filter(Boolean)])],
    createdMs: Date.now(),
  };
  if (model.template !== undefined) asField('template', () => requireTemplate(model.template!));
  const view = await openModel(base.path).catch(faultOf(base.from === undefined ? 'files' : 'from'));
  try {
    asField('reference' in base.weights ? 'from' : 'files', () => networkOf(view));
    for (const { name: file, digest } of adapters) {
      const fault = faultOf(`adapters.${file}`);
      const adapter = await openAdapter(await models.fileOf(digest).catch(fault), view).catch(fault);
      await adapter.close();
    }
    requireConversation(view, model);
    check(model, view);
    if (request.quantize) await quantizingPlan(view, request.quantize);
  } finally {
    await view.close();
  }
  return model;
}

const adaptersOf = ({ adapters }: CreateRequest): CreatedModel['adapters'] =>
  Object.entries(adapters ?? {}).map(([name, digest]) => ({
    name,
    digest: asField(`adapters.${name}`, () => parseDigest(digest)),
  }));

/** What its conversations begin with, as its template writes it: some know no system prompt, or no two messages of one role. */
function requireConversation(view: ModelView, model: CreatedModel): void {
  const field = 'reference' in model.weights ? 'from' : 'files';
  const tokenizer = asField(field, () => tokenizerFromGguf(view.metadata));
  const { template, special } = modelChat(tokenizer, model.template ?? tokenizer.chatTemplate);
  const messages = withOpening(createdPart(model), [{ role: 'user', content: 'Hello' }]);
  if (messages.length === 1) return;
  asField(model.messages.length > 0 ? 'messages' : 'system', () => renderChat({ template, messages, ...special }));
}

const withoutNothing = (options: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
