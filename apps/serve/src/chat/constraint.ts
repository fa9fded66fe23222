// What a chat holds its reply to: calls to the schemas of their tools, an answer to that of the request.
import { blamedOn, type ReplyConstraint, replySketch } from '@quern/chat';
import { QuernError } from '@quern/errors';
import { ApiError } from '../api-error.ts';
import { askedGrammar, type Constraint } from '../generate/grammar-request.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { ChatRequest } from './chat.ts';
import type { RequestTool } from './messages.ts';

/** Tools that are looked at one by one when all together do not compile: each is work for the thread. */
const mostNamed = 256;

/**
 * Undefined where the request's own grammar says all, or nothing is asked.
 * @throws ApiError 400 for wishes that a reply cannot be held to
 */
export function chatConstraint(
  chat: ChatRequest,
  tools: readonly RequestTool[],
  { chat: { format } }: ServedModel,
  reasoning: Pick<ReplyConstraint, 'reasoningOpen' | 'mayReason'>,
): Constraint | undefined {
  const { toolChoice: choice = 'auto', parallelToolCalls: parallel = true, request } = chat;
  const asked = askedGrammar(request);
  const forced = choice !== 'auto' && choice !== 'none';
  if (forced && tools.length === 0)
    throw refused('A call is asked for, but the request offers no tools.', 'tool_choice');
  if (asked?.fromStart || request.grammar_lazy) {
    if (!forced) return undefined;
    throw refused(
      `${asked?.param ?? 'grammar_lazy'} holds the whole reply; it cannot be a tool call too.`,
      'tool_choice',
    );
  }
  const constraint: ReplyConstraint = { tools, choice, parallel, answer: asked?.source, ...reasoning };
  try {
    if (!replySketch(format, constraint)) return undefined;
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    if (error.code.startsWith('tool-')) throw refused(error.describe(), 'tool_choice');
    throw new ApiError(400, 'invalid_grammar', `tools: ${error.describe()}`, { param: 'tools' });
  }
  const alone = { choice: 'required', parallel: false, reasoningOpen: false, mayReason: false } as const;
  return {
    param: asked?.param ?? 'tools',
    grammar: { kind: 'reply', format, constraint },
    parts: tools.slice(0, mostNamed).map((tool) => ({
      param: 'tools',
      grammar: () => ({ kind: 'reply', format, constraint: { ...alone, tools: [tool] } }),
      blame: (error) => blamedOn(tool, error),
    })),
  };
}

const refused = (message: string, param: string): ApiError => new ApiError(400, 'invalid_value', message, { param });
