// Who speaks in a chat: a model of a file, or a created one with what its description says: its template, what its conversations begin
// with, its parameters.
import { type FoundCreated, findCreated } from '@quern/checkpoint';
import { hyperparameters, type LoadOverride, openModel } from '@quern/models';
import { createdPart, samplingOptions } from '@quern/serve-command/server';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import type { Message } from './conversation.ts';
import { type Settings, usualSettings } from './settings.ts';

/** What is known before weights are fetched. */
export interface NamedModel {
  /** What `locateCheckpoint` takes. */
  readonly weights: string;
  /** Files of adapters. */
  readonly adapters: readonly string[];
  readonly created?: FoundCreated;
}

/** @throws QuernError those of `findCreated` */
export async function modelNamed(name: string): Promise<NamedModel> {
  const created = await findCreated(name);
  return created ? { weights: created.weights, adapters: created.adapters, created } : { weights: name, adapters: [] };
}

export interface Description {
  readonly tokenizer: Tokenizer;
  readonly template?: string;
  readonly system?: string;
  /** Messages between the system prompt and what is said. */
  readonly opening: readonly Message[];
  /** Texts that end a reply. */
  readonly stops: readonly string[];
  /** Before a person sets anything. */
  readonly settings: Settings;
  /** Tokens that the model was trained for. */
  readonly trained: number;
  /** As its description has it. */
  readonly contextTokens?: number;
}

/** @throws QuernError `manifest-damaged`, and those of opening */
export async function describe(path: string, { created }: NamedModel, override?: LoadOverride): Promise<Description> {
  const view = await openModel(path, { override });
  try {
    const tokenizer = tokenizerFromGguf(view.metadata);
    const trained = hyperparameters(view).contextLength;
    const usual = {
      tokenizer,
      template: tokenizer.chatTemplate,
      opening: [],
      stops: [],
      settings: usualSettings,
      trained,
    };
    return created ? { ...usual, ...ofCreated(created, tokenizer, trained) } : usual;
  } finally {
    await view.close();
  }
}

function ofCreated({ model }: FoundCreated, tokenizer: Tokenizer, trained: number): Partial<Description> {
  const { opening, defaults } = createdPart(model);
  const { template, system, parameters } = model;
  const asked = samplingOptions(defaults.sampling, tokenizer, 'quern');
  const { maxTokens = Number.POSITIVE_INFINITY, stop = [] } = defaults;
  return {
    ...(template !== undefined && { template }),
    system,
    opening,
    stops: stop,
    settings: {
      sampling: { ...usualSettings.sampling, ...asked },
      ...(Number.isFinite(maxTokens) && { maxTokens }),
    },
    ...(typeof parameters.num_ctx === 'number' && { contextTokens: Math.min(parameters.num_ctx, trained) }),
  };
}
