// A request of Anthropic's API as the neutral chat.
import { ApiError } from '../api-error.ts';
import type { ChatRequest } from '../chat/chat.ts';
import type { RequestTool } from '../chat/messages.ts';
import type { GenerationRequest } from '../generate/generation-request.ts';
import { chatMessages } from './chat-messages.ts';
import { offeredTools } from './offered-tools.ts';
import type { MessagesRequest, PromptRequest } from './request-shape.ts';
import type { Tool } from './tool-shape.ts';

/** What the prompt is made of. @throws ApiError 400 */
export function promptOf(request: PromptRequest): Omit<ChatRequest, 'request'> {
  const { thinking, tool_choice: choice, chat_template_kwargs: templateVariables } = request;
  const effort = effortOf(request);
  const tools = offeredTools(request.tools ?? [], request.messages).map(toolOf);
  checkChoice(choice, tools);
  return {
    messages: chatMessages(request.system ?? [], request.messages, thinkingTurns(request)),
    tools,
    // A last message of the assistant is the beginning of the reply.
    ...(request.messages.at(-1)!.role === 'assistant' ? { ending: 'continued' as const } : {}),
    ...(choice && { toolChoice: choice.type === 'any' ? 'required' : choice.type === 'tool' ? choice : choice.type }),
    ...(choice && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use
      ? { parallelToolCalls: false }
      : {}),
    ...(thinking && { thinking: thinking.type !== 'disabled' }),
    ...(thinking?.type === 'enabled' && { thinkingBudget: thinking.budget_tokens }),
    ...(effort && { reasoningEffort: effort }),
    ...(templateVariables && { templateVariables }),
  };
}

/** @throws ApiError 400 */
export const chatOf = (request: MessagesRequest): ChatRequest => ({
  ...promptOf(request),
  request: generationOf(request),
  maxTokens: request.max_tokens,
});

function generationOf(request: MessagesRequest): GenerationRequest {
  const { stop_sequences: stop, output_config: config, output_format: format } = request;
  const held = config?.format ?? format;
  if (!held) return { ...request, stop };
  const asked = { type: 'json_schema' as const, json_schema: { schema: held.schema } };
  return { ...request, stop, response_format: asked };
}

function toolOf({ name, description, input_schema: parameters, strict, input_examples: examples }: Tool): RequestTool {
  return {
    type: 'function',
    function: {
      name,
      ...(description ? { description } : {}),
      parameters,
      ...(strict === undefined || strict === null ? {} : { strict }),
      ...(examples?.length ? { input_examples: examples } : {}),
    },
  };
}

function checkChoice(choice: PromptRequest['tool_choice'], tools: readonly RequestTool[]): void {
  if (choice?.type !== 'any' && choice?.type !== 'tool') return;
  const found = choice.type === 'any' ? tools.length > 0 : tools.some((tool) => tool.function.name === choice.name);
  if (found) return;
  const message = choice.type === 'any' ? 'There are no tools to call.' : `There is no tool "${choice.name}" in tools.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'tool_choice' });
}

/** What instructions of this turn say goes before what the request says. */
function effortOf({ messages, output_config: config }: PromptRequest) {
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1);
  const said = turn.flatMap((message) => (message.role === 'system' ? (message.output_config?.effort ?? []) : []));
  return said.at(-1) ?? config?.effort;
}

/** Of how many turns thoughts are kept: all, unless an edit of the context says otherwise. */
function thinkingTurns({ context_management: management }: PromptRequest): number {
  const turns = (management?.edits ?? []).map(({ keep }) =>
    keep === 'all' ? Number.POSITIVE_INFINITY : (keep?.value ?? 1),
  );
  return Math.min(Number.POSITIVE_INFINITY, ...turns);
}
