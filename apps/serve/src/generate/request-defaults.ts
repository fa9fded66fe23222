// What requests get that do not say it: what the server was started with, else what the model's file recommends.
import type { ChatDefaults } from '../chat/chat-defaults.ts';
import { type SamplingRequest, samplingFields } from './sampling-fields.ts';

export interface RequestDefaults {
  readonly sampling: SamplingRequest;
  /** Undefined: what the endpoint takes. */
  readonly maxTokens?: number;
  /** Texts that end a reply. */
  readonly stop?: readonly string[];
  /** Of chats alone. */
  readonly chat?: ChatDefaults;
}

/** llama.cpp's keys (`general.sampling.…`), which its programs follow where nobody says otherwise. */
const recommended: readonly (readonly [key: string, field: keyof typeof samplingFields])[] = [
  ['top_k', 'top_k'],
  ['top_p', 'top_p'],
  ['min_p', 'min_p'],
  ['xtc_probability', 'xtc_probability'],
  ['xtc_threshold', 'xtc_threshold'],
  ['temp', 'temperature'],
  ['penalty_last_n', 'repeat_last_n'],
  ['penalty_repeat', 'repeat_penalty'],
  ['mirostat', 'mirostat'],
  ['mirostat_tau', 'mirostat_tau'],
  ['mirostat_eta', 'mirostat_eta'],
];

/** What a file recommends, as far as it makes sense: what does not is passed over, as llama.cpp does. */
export function recommendedSampling(metadata: ReadonlyMap<string, { readonly value: unknown }>): SamplingRequest {
  const found: Record<string, unknown> = {};
  const take = (field: keyof typeof samplingFields, value: unknown): void => {
    if (samplingFields[field].safeParse(value).success) found[field] = value;
  };
  for (const [key, field] of recommended) {
    const value = metadata.get(`general.sampling.${key}`)?.value;
    // Stored as 32 bits, which are good for so many digits.
    if (value !== undefined) take(field, Number(Number(value).toPrecision(7)));
  }
  const sequence = metadata.get('general.sampling.sequence')?.value;
  if (typeof sequence === 'string') take('samplers', sequence.split(';'));
  return found as SamplingRequest;
}

/** A request with the defaults where it says nothing. */
export function withDefaults<Request extends SamplingRequest>(
  request: Request,
  { sampling }: RequestDefaults,
): Request {
  const said = Object.entries(request).filter(([, value]) => value !== undefined && value !== null);
  const asked = Object.fromEntries(said) as Request;
  // Two names of one thing: whoever says either has said it.
  const { repeat_penalty: penalty, ...others } = sampling;
  return { ...others, ...(asked.repetition_penalty === undefined && { repeat_penalty: penalty }), ...asked };
}
