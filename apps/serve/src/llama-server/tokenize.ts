// POST /tokenize and /detokenize: text to tokens and back, so that a client can count before it asks. What comes as `prompt` or as
// `messages` is vLLM's request, and gets its answer.
import { setImmediate } from 'node:timers/promises';
import type { Tokenizer } from '@quern/tokenizer';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { tokenIds, tokensAndTexts } from '../large-shapes.ts';
import { encodeParts } from '../text/encode-text.ts';
import { requireTokens } from '../text/require-tokens.ts';
import { vllmFields, vllmTokens } from './vllm-tokenize.ts';

const model = z.string().nullish();

const textShape = z.looseObject({
  ...vllmFields,
  model,
  /** Tokens may stand between texts. */
  content: z.union([z.string(), tokensAndTexts], 'expected a text').optional(),
  add_special: z.boolean().nullish(),
  parse_special: z.boolean().nullish(),
  with_pieces: z.boolean().nullish(),
});

export const tokenize: Endpoint = {
  method: 'POST',
  path: '/tokenize',
  async handle(context, server) {
    const request = await readRequest(context, textShape);
    const { content, add_special, parse_special, with_pieces, prompt, messages } = request;
    if ([content, prompt, messages].filter((value) => value !== undefined).length !== 1)
      throw new ApiError(400, 'invalid_value', 'content: give a text (or, as vLLM has it, prompt or messages).', {
        param: 'content',
      });
    return withModel(context, server, request.model, async (lease) => {
      const { model: served } = lease;
      const { signal } = context.req.raw;
      if (content === undefined) return context.json(await vllmTokens(request, lease, signal));
      const parts = typeof content === 'string' ? [content] : content;
      requireTokens(
        parts.filter((part) => typeof part === 'number'),
        served,
        'content',
      );
      const parseSpecial = parse_special ?? true;
      const first = { addSpecial: add_special ?? false, parseSpecial };
      const tokens = [
        await encodeParts(served, parts.slice(0, 1), first, signal),
        await encodeParts(served, parts.slice(1), { parseSpecial }, signal),
      ];
      const { tokenizer } = served;
      const written = with_pieces ? (id: number) => JSON.stringify(withPiece(id, tokenizer)) : String;
      return new Response(await listText('tokens', tokens, written, signal), { headers: json });
    });
  },
};

const json = { 'content-type': 'application/json' };

const withPiece = (id: number, tokenizer: Tokenizer): object => ({
  id,
  piece: textOrBytes(tokenizer.decodeBytes([id], { special: true })),
});

/** Written at a time: others are answered in between. */
const writtenSlice = 16_384;

/** JSON of millions of items. */
async function listText(
  name: string,
  lists: readonly Int32Array[],
  written: (id: number) => string,
  signal: AbortSignal,
): Promise<string> {
  const texts: string[] = [];
  for (const ids of lists)
    for (let at = 0; at < ids.length; at += writtenSlice) {
      if (at > 0) await setImmediate();
      signal.throwIfAborted();
      texts.push(Array.from(ids.subarray(at, at + writtenSlice), written).join());
    }
  const all = texts.join();
  await setImmediate();
  return `{"${name}":[${all}]}`;
}

const tokensShape = z.looseObject({ model, tokens: tokenIds });

export const detokenize: Endpoint = {
  method: 'POST',
  path: '/detokenize',
  async handle(context, server) {
    const request = await readRequest(context, tokensShape);
    return withModel(context, server, request.model, async ({ model: served }) => {
      requireTokens(request.tokens, served, 'tokens');
      const content = await textOf(request.tokens, served.tokenizer, context.req.raw.signal);
      // vLLM's name of it.
      return context.json({ content, prompt: content });
    });
  },
};

/** Decoded at a time: others are answered in between. */
const slice = 65_536;

async function textOf(ids: readonly number[], tokenizer: Tokenizer, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  for (let at = 0; at < ids.length; at += slice) {
    if (at > 0) await setImmediate();
    signal.throwIfAborted();
    text += decoder.decode(tokenizer.decodeBytes(ids.slice(at, at + slice), { special: true }), { stream: true });
  }
  return text + decoder.decode();
}

/** A token may be a part of a character: then its bytes. */
function textOrBytes(bytes: Uint8Array): string | number[] {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return [...bytes];
  }
}
