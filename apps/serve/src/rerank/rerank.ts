// POST /v1/rerank (and /rerank, /reranking): documents in the order in which they answer a query, in Jina's shape; where they come as
// `texts`, in TEI's.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { rankDocuments } from '../embed/rank-documents.ts';
import { refusedFields } from '../embed/refused-fields.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { randomId } from '../random-id.ts';
import { respondWhole } from '../respond.ts';

const documentShape = z.union([z.string(), z.looseObject({ text: z.string() })], 'expected a text or {"text": …}');

const rerankShape = z.looseObject({
  model: z.string().nullish(),
  query: z.union([z.string(), z.looseObject({ text: z.string() })], 'expected a text or {"text": …}'),
  documents: z.array(documentShape).min(1).max(2048).optional(),
  /** TEI's name of them. */
  texts: z.array(documentShape).min(1).max(2048).optional(),
  /** As many as there are, unless fewer are asked for. */
  top_n: z.int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
  /** TEI's. */
  return_text: z.boolean().nullish(),
});
type RerankRequest = z.infer<typeof rerankShape>;

const textOf = (given: string | { text: string }): string => (typeof given === 'string' ? given : given.text);

const rerankAt = (path: string): Endpoint => ({
  method: 'POST',
  path,
  async handle(context, server) {
    const request = await readRequest(context, rerankShape, refusedFields);
    const documents = documentsOf(request);
    return withModel(context, server, request.model, ({ model }) =>
      respondWhole(server, async () => {
        const { signal } = context.req.raw;
        const { scores, promptTokens } = await rankDocuments(model, textOf(request.query), documents, signal);
        const order = scores.map((score, index) => ({ index, score, text: documents[index]! }));
        const best = order.sort((a, b) => b.score - a.score).slice(0, request.top_n ?? order.length);
        if (request.texts)
          return best.map(({ index, score, text }) => ({ index, score, ...(request.return_text && { text }) }));
        return {
          ...{ id: randomId('rerank-'), model: model.id, object: 'list' },
          usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
          results: best.map(({ index, score, text }) => ({
            ...{ index, relevance_score: score },
            ...(request.return_documents && { document: { text } }),
          })),
        };
      }),
    );
  },
});

function documentsOf({ documents, texts }: RerankRequest): string[] {
  if ((documents === undefined) === (texts === undefined))
    throw new ApiError(400, 'invalid_value', 'documents: give a list of texts (or, as TEI has it, texts).', {
      param: 'documents',
    });
  return (documents ?? texts!).map(textOf);
}

/** llama-server knows all of these. */
export const rerank: readonly Endpoint[] = ['/v1/rerank', '/v1/reranking', '/rerank', '/reranking'].map(rerankAt);
