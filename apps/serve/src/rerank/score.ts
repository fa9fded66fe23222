// POST /v1/score (and /score): how well texts answer others, pair by pair, in vLLM's shape. One text on the left stands against each
// on the right; as many on both sides are pairs.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { rankDocuments } from '../embed/rank-documents.ts';
import { refusedFields } from '../embed/refused-fields.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { createdSeconds } from '../openai/response-fields.ts';
import { randomId } from '../random-id.ts';
import { respondWhole } from '../respond.ts';

const texts = z
  .union([z.string(), z.array(z.string()).min(1).max(2048)], 'expected a text or a list of texts')
  .optional();
const scoreShape = z.looseObject({
  model: z.string().nullish(),
  ...{ queries: texts, text_1: texts, data_1: texts },
  ...{ documents: texts, items: texts, text_2: texts, data_2: texts },
});
type ScoreRequest = z.infer<typeof scoreShape>;

interface Side {
  readonly param: string;
  readonly texts: readonly string[];
}

export const score: Endpoint = {
  method: 'POST',
  path: '/v1/score',
  aliases: ['/score'],
  async handle(context, server) {
    const request = await readRequest(context, scoreShape, refusedFields);
    const left = sideOf(request, ['queries', 'text_1', 'data_1']);
    const right = sideOf(request, ['documents', 'items', 'text_2', 'data_2']);
    const groups = groupsOf(left, right);
    return withModel(context, server, request.model, ({ model }) =>
      respondWhole(server, async () => {
        const { signal } = context.req.raw;
        const ranked = await Promise.all(
          groups.map(([query, against]) => rankDocuments(model, query, against, signal)),
        );
        const tokens = ranked.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
        const scores = ranked.flatMap(({ scores: some }) => some);
        return {
          ...{ id: randomId('score-'), object: 'list', created: createdSeconds(), model: model.id },
          data: scores.map((value, index) => ({ index, object: 'score', score: value })),
          usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
        };
      }),
    );
  },
};

/** @throws ApiError 400 unless exactly one of the names is given */
function sideOf(request: ScoreRequest, names: readonly (keyof ScoreRequest & string)[]): Side {
  const given = names.filter((name) => request[name] !== undefined);
  const [param] = given;
  if (param === undefined || given.length > 1)
    throw new ApiError(400, 'invalid_value', `${names[0]}: give one of ${names.join(', ')}.`, { param: names[0] });
  const said = request[param] as string | string[];
  return { param, texts: typeof said === 'string' ? [said] : said };
}

/** Each text with those that it is read with. @throws ApiError 400 */
function groupsOf(left: Side, right: Side): readonly (readonly [string, readonly string[]])[] {
  const [only, ...others] = left.texts;
  if (others.length === 0) return [[only!, right.texts]];
  if (left.texts.length === right.texts.length) return left.texts.map((text, at) => [text, [right.texts[at]!]]);
  const message = `${right.param}: ${left.param} has ${left.texts.length} texts and ${right.param} ${right.texts.length}: give one on the left, or as many on both sides.`;
  throw new ApiError(400, 'invalid_value', message, { param: right.param });
}
