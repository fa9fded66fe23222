// generation_config.json: the tokens that begin and end a text, and the sampling that the file suggests.
import type { ModelView } from '@quern/checkpoint';
import type { Tokenizer } from '@quern/tokenizer';
import { samplingKeys } from '../lens/general-metadata.ts';
import { shortestFloat } from './shortest-float.ts';

export function generationConfig(
  { metadata }: ModelView,
  { bos, eos, endOfGeneration, endOfFillIn }: Tokenizer,
  pad: unknown,
): Record<string, unknown> {
  const others = [...endOfGeneration].filter((id) => id !== eos && !endOfFillIn.has(id)).sort(byNumber);
  const ends = eos === undefined ? others : [eos, ...others];
  const sampling = samplingKeys.flatMap(([key, , ...names]): [string, unknown][] => {
    const stored = metadata.get(`general.sampling.${key}`);
    if (stored === undefined || stored.type === 'array') return [];
    const value = typeof stored.value === 'number' ? shortestFloat(stored.value) : stored.value;
    return [[names.at(-1)!, typeof value === 'bigint' ? Number(value) : value]];
  });
  const samples = sampling.some(([name, value]) => ['temperature', 'top_k', 'top_p', 'min_p'].includes(name) && value);
  return {
    ...(bos !== undefined && { bos_token_id: bos }),
    ...(ends.length > 0 && { eos_token_id: ends.length === 1 ? ends[0] : ends }),
    ...(pad !== null && { pad_token_id: pad }),
    ...(samples && { do_sample: true }),
    ...Object.fromEntries(sampling),
  };
}

const byNumber = (a: number, b: number) => a - b;
