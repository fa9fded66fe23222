// Ollama's options: what a request may ask for, and what a created model has of its own.
import { z } from 'zod';
import type { RequestDefaults } from '../generate/request-defaults.ts';
import { type SamplingRequest, samplingFields } from '../generate/sampling-fields.ts';

const { temperature, top_k, top_p, min_p, typical_p, seed } = samplingFields;
const { repeat_last_n, repeat_penalty, presence_penalty, frequency_penalty } = samplingFields;
const { mirostat, mirostat_tau, mirostat_eta } = samplingFields;

/** How a model is loaded is for the server's flags to say; these change no token. */
const neutralOptions = z.unknown().optional();

export const modelOptions = z.strictObject({
  ...{ temperature, top_k, top_p, min_p, typical_p, seed },
  ...{ repeat_last_n, repeat_penalty, presence_penalty, frequency_penalty },
  ...{ mirostat, mirostat_tau, mirostat_eta },
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(64)]).nullish(),
  /** -1 and -2: as many as there is room for. */
  num_predict: z.int().min(-2).nullish(),
  num_ctx: z.int().min(1).nullish(),
  tfs_z: z.literal(1, 'tail-free sampling is not there: 1 turns it off').nullish(),
  penalize_newline: z.literal(true, 'line ends are penalized like all tokens').nullish(),
  num_keep: neutralOptions,
  ...{ numa: neutralOptions, num_batch: neutralOptions, num_gpu: neutralOptions, main_gpu: neutralOptions },
  ...{ low_vram: neutralOptions, f16_kv: neutralOptions, vocab_only: neutralOptions, use_mmap: neutralOptions },
  ...{ use_mlock: neutralOptions, num_thread: neutralOptions, logits_all: neutralOptions },
});
export type ModelOptions = z.infer<typeof modelOptions>;

/** Those that say how tokens are chosen. */
export const samplingOf = (options: ModelOptions): SamplingRequest =>
  Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name in samplingFields && value !== null && value !== undefined),
  );

/** What requests get of a model with these options. */
export function defaultsOf(options: ModelOptions): RequestDefaults {
  const { stop, num_predict: most } = options;
  return {
    sampling: samplingOf(options),
    ...(stop && { stop: typeof stop === 'string' ? [stop] : stop }),
    ...(typeof most === 'number' && { maxTokens: most < 0 ? Number.POSITIVE_INFINITY : most }),
  };
}
