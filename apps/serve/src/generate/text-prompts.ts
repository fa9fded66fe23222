// Prompts that are the client's own, without a chat template: text, token ids, both mixed, and lists of them. Forms are those of
// OpenAI's completions and llama-server's. Special tokens written in a text are recognised, and BOS is added in front of a prompt
// that begins with text where the model wants it.
import type { Tokenizer } from '@quern/tokenizer';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { tokensAndTexts } from '../large-shapes.ts';
import type { ServedModel } from '../models/served-model.ts';
import { encodeTexts, requireRoom, type TextOrigin } from '../text/encode-text.ts';
import { requireTokens } from '../text/require-tokens.ts';

/** Of one request. */
const maxPrompts = 256;

/** Of one request; others wait behind them. */
const maxReplies = 256;

/**
 * @param each replies to one prompt
 * @throws ApiError 400
 */
export function checkReplies(prompts: number, each: number): void {
  if (prompts * each <= maxReplies) return;
  const message = `n: ${prompts} prompts with ${each} replies each are ${prompts * each}; one request has ${maxReplies} at most.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'n' });
}

/** llama-server's object, which may carry pictures for models that see. */
const wrapped = z.looseObject({
  prompt_string: z.string(),
  multimodal_data: z.array(z.unknown()).max(0, 'only text goes in').nullish(),
});
const onePrompt = z.union([z.string(), tokensAndTexts, wrapped]);

/** Looking at each of a million prompts, to say in the end that they are too many, takes seconds. With an id among them they are one. */
const areTooMany = (value: unknown): boolean =>
  Array.isArray(value) && value.length > maxPrompts && !value.some((part) => typeof part === 'number');

export const promptField = z.preprocess(
  (value) => (areTooMany(value) ? undefined : value),
  z.union(
    [onePrompt, z.array(onePrompt).min(1).max(maxPrompts)],
    `expected a text, a list of token ids, or a list of 1 to ${maxPrompts} of these`,
  ),
);
type OnePrompt = z.infer<typeof onePrompt>;
export type PromptField = z.infer<typeof promptField>;

export interface TextPrompt {
  readonly ids: Int32Array;
  /** As the client wrote it; of token ids, the text that becomes them, without the BOS that is added. */
  readonly text: string;
}

/**
 * The prompts of a request, in their order.
 * @param addSpecial false: no BOS
 * @throws ApiError 400 for tokens that the vocabulary does not have
 */
export async function readPrompts(
  model: ServedModel,
  field: PromptField,
  addSpecial: boolean,
  origin: TextOrigin,
): Promise<TextPrompt[]> {
  const all = promptsOf(field).map(partsOf);
  for (const parts of all) checkParts(model, parts, origin);
  const [firsts, others] = await encodedTexts(model, all, addSpecial, origin);
  const next = (isFirst: boolean): Int32Array => (isFirst ? firsts : others).next().value!;
  return all.map((parts) => promptOf(model, parts, next, origin));
}

type Parts = readonly (string | number)[];

const partsOf = (prompt: OnePrompt): Parts =>
  typeof prompt === 'string' ? [prompt] : Array.isArray(prompt) ? prompt : [prompt.prompt_string];

/** @throws ApiError 400 for a prompt whose parts alone say that it does not fit */
function checkParts({ contextTokens }: ServedModel, { length }: Parts, { param }: TextOrigin): void {
  if (length <= contextTokens) return;
  const message = `The prompt has ${length} tokens and texts; the maximum context length is ${contextTokens} tokens.`;
  const tokens = { prompt: length, context: contextTokens };
  throw new ApiError(400, 'context_length_exceeded', message, { param, tokens });
}

function promptsOf(field: PromptField): readonly OnePrompt[] {
  if (!Array.isArray(field)) return [field];
  const isOne = field.every((part) => typeof part === 'number' || typeof part === 'string');
  // A list of texts is a list of prompts; with an id among them it is one prompt.
  return isOne && (field.length === 0 || field.some((part) => typeof part === 'number'))
    ? [field as OnePrompt]
    : (field as OnePrompt[]);
}

/** The tokens of the texts in the prompts, in their order: of those that a prompt begins with (BOS comes before them), and of the others. */
async function encodedTexts(
  model: ServedModel,
  prompts: readonly Parts[],
  addSpecial: boolean,
  origin: TextOrigin,
): Promise<Iterator<Int32Array>[]> {
  const encode = async (parts: Parts, addsSpecial: boolean): Promise<Iterator<Int32Array>> => {
    const texts = parts.filter((part) => typeof part === 'string');
    const tokens = await encodeTexts(model, texts, { addSpecial: addsSpecial, parseSpecial: true }, origin.signal);
    return tokens.values();
  };
  for (const parts of prompts)
    requireRoom(
      model,
      parts.filter((part) => typeof part === 'string'),
      origin.param,
    );
  const firsts = prompts.flatMap((parts) => parts.slice(0, 1));
  const others = prompts.flatMap((parts) => parts.slice(1));
  return [await encode(firsts, addSpecial), await encode(others, false)];
}

/** @throws ApiError 400 for tokens that the vocabulary does not have */
function promptOf(
  model: ServedModel,
  parts: Parts,
  next: (isFirst: boolean) => Int32Array,
  { param }: TextOrigin,
): TextPrompt {
  const { tokenizer } = model;
  const ids: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (typeof part === 'number') ids.push(part);
    else for (const token of next(at === 0)) ids.push(token);
  }
  requireTokens(ids, model, param);
  const written = (part: number | string, at: number) => {
    if (typeof part === 'string') return part;
    return at === 0 && part === tokenizer.bos ? '' : tokenizer.decode([part], { special: true });
  };
  const hasText = parts.some((part) => typeof part === 'string');
  return { ids: Int32Array.from(ids), text: hasText ? parts.map(written).join('') : idsAsText(tokenizer, ids) };
}

/** Whole, because a token may be a part of a character. */
const idsAsText = (tokenizer: Tokenizer, ids: readonly number[]): string =>
  tokenizer.decode(ids[0] === tokenizer.bos ? ids.slice(1) : ids, { special: true });
