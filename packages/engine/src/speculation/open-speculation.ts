// From what a user wants to the sources of guesses: checks them, and loads a small model beside the large one.
import type { ModelView } from '@quern/checkpoint';
import { type DeviceRequest, type LoadOptions, loadOnDevices, type Model, openModel } from '@quern/models';
import type { GuessSource } from './guess-source.ts';
import { ModelSource } from './model-source.ts';
import { MtpSource } from './mtp-source.ts';
import { NgramSource } from './ngram-source.ts';
import type { SpeculationOptions, SpeculationType } from './options.ts';
import { resolveSpeculation } from './options.ts';
import { requireSameVocabulary } from './same-vocabulary.ts';
import { Speculation } from './speculation.ts';

export interface OpenedSpeculation {
  readonly drafter: Speculation;
  /** Where the small model is, for people; undefined without one. */
  readonly summary?: string;
  dispose(): Promise<void>;
}

export interface SpeculationSetting {
  readonly model: Model;
  /** Of the large model. */
  readonly view: ModelView;
  readonly request: DeviceRequest;
  /** What the large model was loaded with: the small one's cache has the same shape. */
  readonly load: LoadOptions;
}

/** @throws QuernError `draft-vocabulary-differs`, and those of `openModel` and `loadOnDevices` */
export async function openSpeculation(
  options: SpeculationOptions,
  { model, view, request, load }: SpeculationSetting,
): Promise<OpenedSpeculation> {
  const speculating = resolveSpeculation(options);
  const small =
    options.draftModelPath === undefined ? undefined : await loadSmall(options.draftModelPath, view, request, load);
  const sources: Record<SpeculationType, () => GuessSource> = {
    'ngram-simple': () => new NgramSource(speculating),
    'draft-simple': () => new ModelSource(small!.model, model.hyperparameters.vocabSize, speculating),
    'draft-mtp': () => new MtpSource(model, speculating),
  };
  return {
    drafter: new Speculation(
      speculating.types.map((type) => sources[type]()),
      speculating,
    ),
    summary: small?.summary,
    dispose: async () => small?.dispose(),
  };
}

async function loadSmall(path: string, view: ModelView, request: DeviceRequest, load: LoadOptions) {
  const small = await openModel(path);
  try {
    requireSameVocabulary(view, small);
    const { draft: _, onProgress: __, ...sizes } = load;
    // The last layers of the large model say nothing about the small one.
    const { gpuLayers: ___, ...devices } = request;
    return await loadOnDevices(small, devices, { ...sizes, maxOutputs: sizes.maxSequences });
  } finally {
    await small.close();
  }
}
