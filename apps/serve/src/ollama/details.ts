// What Ollama's lists say of a model.
import { createHash } from 'node:crypto';
import type { OfferedModel } from '../models/model-host.ts';
import { madeMs } from '../models/offered-models.ts';
import type { ServedModel } from '../models/served-model.ts';

/** 134515008 → `134.52M`. */
function shortCount(count: number): string {
  const [divisor, unit] = count >= 1e9 ? [1e9, 'B'] : count >= 1e6 ? [1e6, 'M'] : [1e3, 'K'];
  return `${Number((count / divisor).toPrecision(5))}${unit}`;
}

/** The type that most weights have. */
function mainType({ description }: ServedModel): string {
  const counts = Object.entries(description.typeHistogram).sort(([, a], [, b]) => b.bytes - a.bytes);
  return counts[0]?.[0] ?? '';
}

/** A model that is not loaded has not been looked into. */
export const detailsOf = (model: ServedModel | undefined): object => ({
  parent_model: model?.created?.model.from ?? '',
  format: 'gguf',
  family: model?.description.architecture ?? '',
  families: model ? [model.description.architecture] : [],
  parameter_size: model ? shortCount(model.description.parameters) : '',
  quantization_level: model ? mainType(model) : '',
});

/**
 * A row of a list. `digest` tells models of this server apart, as clients use it; it is made of the name, and is not that of a file.
 */
export const rowOf = (offered: OfferedModel): object => ({
  name: offered.id,
  model: offered.id,
  modified_at: new Date(madeMs(offered)).toISOString(),
  size: offered.fileBytes ?? offered.model?.description.dataBytes ?? 0,
  digest: createHash('sha256').update(offered.id).digest('hex'),
  details: detailsOf(offered.model),
});

/** What a request may ask of it, in Ollama's words. */
export function capabilitiesOf({ engine, tokenizer, chat: { format } }: ServedModel): string[] {
  if (engine.info.embeddings) return ['embedding'];
  return [
    'completion',
    ...(format.calls ? ['tools'] : []),
    ...(tokenizer.fillIn.middle === undefined ? [] : ['insert']),
    ...(format.reasoning ? ['thinking'] : []),
  ];
}
