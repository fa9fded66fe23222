// A reply as Ollama tells it: pieces with `done: false`, then one with `done: true` and what it took, in nanoseconds. A whole reply
// is made of the same pieces. A call is told once it is complete.
import type { TokenEvent } from '@quern/engine';
import type { ChatEvent } from '../chat/reply.ts';
import { cancelled } from '../generate/generation.ts';
import type { ServedModel } from '../models/served-model.ts';
import { chatLogProbs } from '../openai/token-log-probs.ts';
import type { Answer } from '../respond.ts';

export interface OllamaCall {
  readonly function: { readonly name: string; readonly arguments: Record<string, unknown> };
}

export interface Piece {
  readonly thinking?: string;
  readonly content?: string;
  readonly calls?: readonly OllamaCall[];
  readonly tokens: readonly TokenEvent[];
  /** In the last piece. */
  readonly end?: Readonly<Record<string, unknown>>;
}

export const nanoseconds = (ms: number): number => Math.round(ms * 1e6);

/**
 * @param startMs when the request came, and when its model was loaded, by `performance.now()`
 * @param more what the last piece has beside that
 */
export async function* pieces(
  events: AsyncGenerator<ChatEvent>,
  startMs: { readonly request: number; readonly loaded: number },
  more: () => Readonly<Record<string, unknown>> = () => ({}),
): AsyncGenerator<Piece> {
  let open: { name: string; text: string } | undefined;
  for await (const event of events) {
    if (event.type === 'end') {
      if (open) yield { ...complete(open), tokens: [] };
      yield { tokens: [], end: { ...endOf(event, startMs), ...more() } };
      return;
    }
    let { tokens } = event;
    for (const part of event.parts) {
      if (part.type === 'arguments') {
        open!.text += part.text;
        continue;
      }
      if (open) {
        yield { ...complete(open), tokens };
        [open, tokens] = [undefined, []];
      }
      if (part.type === 'call') open = { name: part.name, text: '' };
      else {
        yield { ...(part.type === 'reasoning' ? { thinking: part.text } : { content: part.text }), tokens };
        tokens = [];
      }
    }
    if (tokens.length > 0) yield { tokens };
  }
  throw cancelled();
}

/** A call that was cut off is text: its arguments are no object. */
function complete({ name, text }: { name: string; text: string }): Pick<Piece, 'calls' | 'content'> {
  try {
    const given: unknown = JSON.parse(text || '{}');
    if (typeof given === 'object' && given !== null && !Array.isArray(given))
      return { calls: [{ function: { name, arguments: given as Record<string, unknown> } }] };
  } catch {}
  return { content: `${name} ${text}` };
}

function endOf(
  { finishReason, cost }: Extract<ChatEvent, { type: 'end' }>,
  { request, loaded }: { request: number; loaded: number },
): Record<string, unknown> {
  return {
    done: true,
    done_reason: finishReason === 'length' ? 'length' : 'stop',
    total_duration: nanoseconds(performance.now() - request),
    load_duration: nanoseconds(loaded - request),
    prompt_eval_count: cost.promptTokens,
    prompt_eval_duration: nanoseconds(cost.promptMs),
    eval_count: cost.completionTokens,
    eval_duration: nanoseconds(cost.generationMs),
  };
}

/** What every piece says of itself. */
export const headOf = ({ id }: ServedModel): { model: string; created_at: string } => ({
  model: id,
  created_at: new Date().toISOString(),
});

/** Empty where none were asked for. */
function logProbsOf({ tokenizer }: ServedModel, tokens: readonly TokenEvent[], shown: boolean): object {
  return shown && tokens.length > 0 ? { logprobs: chatLogProbs(tokenizer, tokens).content } : {};
}

/**
 * The reply, streamed or whole.
 * @param fieldsOf what the endpoint makes of a piece
 * @param shown whether log probabilities are told
 */
export const answerOf = (
  told: () => AsyncGenerator<Piece>,
  model: ServedModel,
  shown: boolean,
  fieldsOf: (piece: Partial<Piece>) => object,
): Answer => ({
  async *chunks() {
    for await (const piece of told()) {
      const says = piece.end || piece.content || piece.thinking || piece.calls || (shown && piece.tokens.length > 0);
      if (!says) continue;
      yield {
        ...headOf(model),
        ...fieldsOf(piece),
        done: false,
        ...logProbsOf(model, piece.tokens, shown),
        ...piece.end,
      };
    }
  },
  async whole() {
    const { end, ...reply } = await wholePiece(told());
    return { ...headOf(model), ...fieldsOf(reply), ...logProbsOf(model, reply.tokens, shown), ...end };
  },
});

/** All pieces as one. */
async function wholePiece(all: AsyncGenerator<Piece>): Promise<Required<Omit<Piece, 'end'>> & Pick<Piece, 'end'>> {
  const whole = { thinking: '', content: '', calls: [] as OllamaCall[], tokens: [] as TokenEvent[] };
  let end: Piece['end'];
  for await (const piece of all) {
    whole.thinking += piece.thinking ?? '';
    whole.content += piece.content ?? '';
    whole.calls.push(...(piece.calls ?? []));
    whole.tokens.push(...piece.tokens);
    end = piece.end;
  }
  return { ...whole, end };
}
