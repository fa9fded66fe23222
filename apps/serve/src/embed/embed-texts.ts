// Vectors of texts, for every API that has them: texts or token ids in, vectors in their order out.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { tokenIds } from '../large-shapes.ts';
import type { ServedModel } from '../models/served-model.ts';
import { encodeTexts } from '../text/encode-text.ts';
import { requireTokens } from '../text/require-tokens.ts';

/** OpenAI's limit. */
const maxTexts = 2048;
const someIds = tokenIds.refine(({ length }) => length > 0);

const onlyText = 'only text goes in';
/** llama-server's forms of a text, which may hold pictures for models that see. */
const wrapped = z.union(
  [
    z.looseObject({ prompt_string: z.string(), multimodal_data: z.array(z.unknown()).max(0, onlyText).nullish() }),
    z.looseObject({ content: z.array(z.looseObject({ type: z.literal('text', onlyText), text: z.string() })).min(1) }),
  ],
  'expected a text, token ids, {"prompt_string": text} or {"content": [{"type": "text", "text": text}]}',
);
/** A text is a text, however it came. */
const unwrapped = wrapped.transform((given) =>
  'prompt_string' in given ? (given.prompt_string as string) : given.content.map(({ text }) => text).join(''),
);
const oneText = z.union([z.string(), someIds, unwrapped]);
export type Texts = OneText | OneText[];

/** A text, or several; each as text, as token ids or as an object. */
export const textsShape: z.ZodType<Texts> = z.union(
  [z.string(), someIds, z.array(z.string()).min(1).max(maxTexts), unwrapped, z.array(oneText).min(1).max(maxTexts)],
  `expected a text, a list of at most ${maxTexts} texts, or their token ids`,
);

export interface Embedded {
  readonly vectors: readonly Float32Array[];
  readonly promptTokens: number;
}

/**
 * @param param the field that the texts came from
 * @param raw not normalized, whatever the model says
 * @throws ApiError 400 `not_an_embedding_model`, `empty_prompt`, `context_length_exceeded` with both numbers: nothing is cut, `invalid_value` for a token that there is not
 */
export async function embedTexts(
  model: ServedModel,
  texts: Texts,
  param: string,
  signal: AbortSignal,
  raw = false,
): Promise<Embedded> {
  requireEmbeddings(model);
  if (model.engine.info.embeddings!.scores) {
    const message = `The model "${model.id}" scores pairs of texts and makes no vectors; use /v1/rerank.`;
    throw new ApiError(400, 'not_an_embedding_model', message, { param: 'model' });
  }
  const encoded = await tokensOf(model, listOf(texts), param, signal);
  const sequences = encoded.map((tokens) => ({ tokens }));
  for (const [index, { length }] of encoded.entries()) checkLength(model, length, `${param}.${index}`);
  const vectors = await model.engine.embed(sequences, { signal, raw });
  return { vectors, promptTokens: sequences.reduce((sum, { tokens }) => sum + tokens.length, 0) };
}

/** @throws ApiError 400 `not_an_embedding_model` */
export function requireEmbeddings({ id, engine }: ServedModel): void {
  if (engine.info.embeddings) return;
  const message = `The model "${id}" was loaded to generate; start the server with --embeddings to make vectors with it.`;
  throw new ApiError(400, 'not_an_embedding_model', message, { param: 'model' });
}

type OneText = string | number[];

const listOf = (texts: Texts): readonly OneText[] =>
  typeof texts === 'string' || typeof texts[0] === 'number' ? [texts as OneText] : (texts as OneText[]);

async function tokensOf(
  model: ServedModel,
  list: readonly OneText[],
  param: string,
  signal: AbortSignal,
): Promise<readonly Int32Array[]> {
  const texts = list.filter((one) => typeof one === 'string');
  const encoded = (await encodeTexts(model, texts, { addSpecial: true, parseSpecial: true }, signal)).values();
  return list.map((one) => {
    if (typeof one === 'string') return encoded.next().value!;
    requireTokens(one, model, param);
    return Int32Array.from(one);
  });
}

/** @throws ApiError 400 `empty_prompt`, `context_length_exceeded` */
export function checkLength({ contextTokens }: ServedModel, tokens: number, param: string): void {
  if (tokens === 0) throw new ApiError(400, 'empty_prompt', `${param} has no tokens.`, { param });
  if (tokens <= contextTokens) return;
  const message =
    `${param} has ${tokens} tokens; the model takes ${contextTokens} at once. Nothing was cut off: ` +
    'divide the text, and average or keep the vectors of its parts.';
  throw new ApiError(400, 'context_length_exceeded', message, { param });
}
