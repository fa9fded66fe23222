// How well documents answer a query: by a cross-encoder that reads both together, or by the cosine of an embedding model's
// vectors. Scores of cross-encoders are as the model gives them, as llama-server's are.
import type { TextPair } from '@quern/tokenizer';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { encodeTextPairs, encodeTexts } from '../text/encode-text.ts';
import { checkLength, requireEmbeddings } from './embed-texts.ts';

export interface Ranked {
  /** In the order of the documents. */
  readonly scores: readonly number[];
  readonly promptTokens: number;
}

/** @throws ApiError 400 `not_an_embedding_model`, `several_labels`, `empty_prompt`, `context_length_exceeded` */
export async function rankDocuments(
  model: ServedModel,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<Ranked> {
  requireEmbeddings(model);
  const { scores: kind, width } = model.engine.info.embeddings!;
  if (kind && width > 2) {
    const message = `The model "${model.id}" has ${width} labels; documents are ranked by a model with one, or with yes and no.`;
    throw new ApiError(400, 'several_labels', message, { param: 'model' });
  }
  return kind ? byPairs(model, query, documents, signal) : byCosine(model, query, documents, signal);
}

async function byPairs(
  model: ServedModel,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<Ranked> {
  // It stands in front of every document.
  const [asked] = await encodeTexts(model, [query], {}, signal);
  if (asked!.length > 0) checkLength(model, asked!.length, 'query');
  const texts = await pairsOf(model, query, documents, signal);
  for (const [index, { tokens }] of texts.entries()) checkLength(model, tokens.length, `documents.${index}`);
  const rows = await model.engine.embed(texts, { signal });
  const { softmax } = model.engine.info.embeddings!.scores!;
  return { scores: rows.map((row) => (softmax ? shareOfFirst(row) : row[0]!)), promptTokens: count(texts) };
}

/** A model that generates was taught by a prompt of its own; others join the two as their tokenizer does. */
async function pairsOf(
  model: ServedModel,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<readonly (Partial<TextPair> & Pick<TextPair, 'tokens'>)[]> {
  const { rankTemplate } = model;
  if (rankTemplate === undefined) return encodeTextPairs(model, query, documents, signal);
  const asked = documents.map((document) => {
    const given: Record<string, string> = { '{query}': query, '{document}': document };
    return rankTemplate.replace(/\{(query|document)\}/g, (name) => given[name]!);
  });
  return (await encodeTexts(model, asked, { parseSpecial: true }, signal)).map((tokens) => ({ tokens }));
}

async function byCosine(
  model: ServedModel,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<Ranked> {
  const options = { addSpecial: true, parseSpecial: true };
  const texts = (await encodeTexts(model, [query, ...documents], options, signal)).map((tokens) => ({ tokens }));
  for (const [index, { tokens }] of texts.entries())
    checkLength(model, tokens.length, index === 0 ? 'query' : `documents.${index - 1}`);
  const [asked, ...vectors] = await model.engine.embed(texts, { signal });
  return { scores: vectors.map((vector) => cosine(asked!, vector)), promptTokens: count(texts) };
}

const count = (texts: readonly { readonly tokens: Int32Array }[]): number =>
  texts.reduce((sum, { tokens }) => sum + tokens.length, 0);

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const cosine = (a: Float32Array, b: Float32Array): number => dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);

function shareOfFirst(row: Float32Array): number {
  const top = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const sum = row.reduce((total, value) => total + Math.exp(value - top), 0);
  return Math.exp(row[0]! - top) / sum;
}
