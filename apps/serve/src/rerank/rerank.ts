// POST /v1/rerank (and /rerank, /reranking): documents in the order in which they answer a query, in Jina's shape.
import { z } from 'zod';
import { rankDocuments } from '../embed/rank-documents.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { respondWhole } from '../respond.ts';

const documentShape = z.union([z.string(), z.looseObject({ text: z.string() })], 'expected a text or {"text": …}');

const rerankShape = z.looseObject({
  model: z.string().nullish(),
  query: z.union([z.string(), z.looseObject({ text: z.string() })], 'expected a text or {"text": …}'),
  documents: z.array(documentShape).min(1).max(2048),
  /** As many as there are, unless fewer are asked for. */
  top_n: z.int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
});
type RerankRequest = z.infer<typeof rerankShape>;

const textOf = (given: string | { text: string }): string => (typeof given === 'string' ? given : given.text);

const rerankAt = (path: string): Endpoint => ({
  method: 'POST',
  path,
  async handle(context, server) {
    const request = await readRequest(context, rerankShape);
    return withModel(context, server, request.model, ({ model }) =>
      respondWhole(server, async () => {
        const { query, documents } = request;
        const ranked = await rankDocuments(model, textOf(query), documents.map(textOf), context.req.raw.signal);
        return {
          ...{ model: model.id, object: 'list' },
          usage: { prompt_tokens: ranked.promptTokens, total_tokens: ranked.promptTokens },
          results: resultsOf(request, ranked.scores),
        };
      }),
    );
  },
});

function resultsOf({ documents, top_n: most, return_documents: withTexts }: RerankRequest, scores: readonly number[]) {
  const results = scores.map((score, index) => ({
    index,
    relevance_score: score,
    ...(withTexts && { document: { text: textOf(documents[index]!) } }),
  }));
  return results.sort((a, b) => b.relevance_score - a.relevance_score).slice(0, most ?? results.length);
}

/** llama-server knows all of these. */
export const rerank: readonly Endpoint[] = ['/v1/rerank', '/v1/reranking', '/rerank', '/reranking'].map(rerankAt);
