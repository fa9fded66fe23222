// The model behind the endpoints: its tokenizer here, its weights in the engine's worker.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CreatedModel } from '@quern/checkpoint';
import { Engine, type RngName, type StartOptions } from '@quern/engine';
import { describeModel, type ModelDescription, openModel } from '@quern/models';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import type { TemplateMessage } from '../chat/messages.ts';
import { type RequestDefaults, recommendedSampling } from '../generate/request-defaults.ts';
import type { SamplingRequest } from '../generate/sampling-fields.ts';
import { TextThread } from '../text/text-thread.ts';
import { type ModelChat, modelChat } from './model-chat.ts';

export interface ServedModel {
  /** What clients call it. */
  readonly id: string;
  /** A GGUF file or a checkpoint folder. */
  readonly path: string;
  /** When it was created, or written. */
  readonly createdSeconds: number;
  /** Most tokens of prompt and reply of one request. */
  readonly contextTokens: number;
  readonly tokenizer: Tokenizer;
  readonly chat: ModelChat;
  /** What long texts are encoded by. */
  readonly texts: TextThread;
  readonly engine: Engine;
  readonly description: ModelDescription;
  /** Whose random numbers the sampler draws. */
  readonly rng: RngName;
  /** How a reranker that generates was asked: a text with `{query}` and `{document}`. */
  readonly rankTemplate?: string;
  /** What requests get that do not say it. */
  readonly defaults: RequestDefaults;
  /** What somebody made of another model. */
  readonly created?: CreatedPart;
  /** What a person should know about how it was loaded. */
  readonly notes: readonly string[];
  /** Ends its threads, whatever they do. */
  close(): Promise<void>;
}

/** What a created model has of its own. */
export interface CreatedPart {
  readonly model: CreatedModel;
  /** They come before those of the weights. */
  readonly defaults: RequestDefaults;
  /** What every conversation begins with, behind its system prompt. */
  readonly opening: readonly TemplateMessage[];
}

export interface LoadServedModelOptions extends Omit<StartOptions, 'modelPath'> {
  /** Default: the name of the file (without `.gguf`) or folder. */
  alias?: string;
  /** As the engine's; 0 takes all that the model was trained for, and so does more than that. */
  contextTokens?: number;
  /** Default `quern`. */
  rng?: RngName;
  /** They come before what the file recommends. */
  defaults?: RequestDefaults;
}

/**
 * @param path a GGUF file or a checkpoint folder
 * @throws QuernError what `openModel`, `tokenizerFromGguf` and `Engine.start` throw
 */
export async function loadServedModel(path: string, options: LoadServedModelOptions): Promise<ServedModel> {
  const { alias, contextTokens, rng = 'quern', defaults, ...start } = options;
  const view = await openModel(path, { override: options.override });
  let described: Pick<ServedModel, 'tokenizer' | 'description' | 'rankTemplate'>;
  let recommended: SamplingRequest;
  try {
    const template = view.metadata.get('tokenizer.chat_template.rerank')?.value;
    described = {
      tokenizer: tokenizerFromGguf(view.metadata),
      description: describeModel(view),
      ...(typeof template === 'string' && { rankTemplate: template }),
    };
    recommended = recommendedSampling(view.metadata);
  } finally {
    await view.close();
  }
  const trained = described.description.hyperparameters.contextLength;
  const isCapped = contextTokens !== undefined && contextTokens > trained;
  const engine = await Engine.start({
    modelPath: path,
    ...start,
    contextTokens: contextTokens === 0 || isCapped ? trained : contextTokens,
  });
  const texts = new TextThread({ path, override: options.override });
  const chat = modelChat(described.tokenizer);
  return {
    id: alias ?? basename(path).replace(/\.gguf$/i, ''),
    path,
    createdSeconds: Math.floor((await stat(path)).mtimeMs / 1000),
    contextTokens: engine.info.contextTokens,
    engine,
    texts,
    chat,
    rng,
    defaults: { ...defaults, sampling: { ...recommended, ...defaults?.sampling } },
    notes: [
      ...(chat.isGuess && !engine.info.embeddings ? [guessNote] : []),
      ...(isCapped ? [cappedNote(contextTokens, trained)] : []),
      ...(Object.keys(recommended).length > 0 ? [recommendedNote(recommended)] : []),
    ],
    ...described,
    async close() {
      await Promise.all([engine.close({ cancel: true }), texts.close()]);
    },
  };
}

const guessNote = 'the model has no chat template: ChatML is used, which it may not know';

const cappedNote = (asked: number, trained: number): string =>
  `a context of ${asked} tokens was asked for; the model was trained for ${trained}, which it gets (--rope-scaling stretches it)`;

const recommendedNote = (sampling: SamplingRequest): string =>
  `the model's file recommends ${Object.entries(sampling)
    .map(([field, value]) => `${field} ${value}`)
    .join(', ')}: requests and flags that say otherwise come first`;
