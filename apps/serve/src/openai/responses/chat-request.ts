// A request for a response as the neutral chat.
import { ApiError } from '../../api-error.ts';
import type { ChatRequest, ToolChoice } from '../../chat/chat.ts';
import type { GenerationRequest } from '../../generate/generation-request.ts';
import { withPauses } from '../../http/pauses.ts';
import { chatMessages } from './chat-messages.ts';
import type { Item } from './item-shapes.ts';
import type { PromptRequest, ResponsesRequest } from './request-shape.ts';
import { promptName, type Tools } from './tools.ts';

export interface Conversation {
  /** Of earlier responses. */
  readonly history: readonly Item[];
  /** Of the request, with what its references stand for. */
  readonly input: readonly Item[];
  readonly tools: Tools;
}

/** What the prompt is made of. @throws ApiError 400 */
export async function promptOf(
  request: PromptRequest,
  conversation: Conversation,
): Promise<Omit<ChatRequest, 'request'>> {
  const { history, input, tools } = conversation;
  const { reasoning, chat_template_kwargs: templateVariables } = request;
  const messages = await withPauses(chatMessages(request.instructions, history, input));
  if (messages.length === 0)
    throw new ApiError(400, 'invalid_value', 'input: there is nothing to answer.', { param: 'input' });
  const effort = reasoning?.effort;
  return {
    messages,
    ...toolsAndChoice(request.tool_choice, tools),
    ...(request.parallel_tool_calls === false ? { parallelToolCalls: false } : {}),
    ...(effort === 'none' ? { thinking: false } : effort ? { reasoningEffort: effort } : {}),
    ...(templateVariables && { templateVariables }),
  };
}

/** @throws ApiError 400 */
export const chatOf = async (request: ResponsesRequest, conversation: Conversation): Promise<ChatRequest> => ({
  ...(await promptOf(request, conversation)),
  request: generationOf(request),
  maxTokens: request.max_output_tokens ?? undefined,
  ...(showsLogProbs(request) ? { logProbs: request.top_logprobs ?? 0 } : {}),
});

export const showsLogProbs = ({ include, top_logprobs: top }: ResponsesRequest): boolean =>
  (include?.includes('message.output_text.logprobs') ?? false) || (top ?? 0) > 0;

/** @throws ApiError 400 when two fields ask for a form */
function generationOf(request: ResponsesRequest): GenerationRequest {
  const format = request.text?.format;
  if (!format || format.type === 'text') return request;
  if (request.response_format) {
    const message = 'text.format and response_format: give only one of them.';
    throw new ApiError(400, 'invalid_value', message, { param: 'text.format' });
  }
  if (format.type === 'json_object') return { ...request, response_format: { type: 'json_object' } };
  const { name, schema, strict } = format;
  return { ...request, response_format: { type: 'json_schema', json_schema: { name, schema, strict } } };
}

type Choice = NonNullable<PromptRequest['tool_choice']>;

/** @throws ApiError 400 when a tool is chosen that is not offered */
function toolsAndChoice(
  choice: Choice | null | undefined,
  { offered }: Tools,
): Pick<ChatRequest, 'tools' | 'toolChoice'> {
  const all = [...offered.values()].map(({ definition }) => definition);
  if (typeof choice !== 'object' || choice === null) {
    if (choice === 'required' && all.length === 0) throw noTool('There are no tools to call.');
    return { tools: all, ...(choice && { toolChoice: choice }) };
  }
  const named = (name: string): string => {
    const inPrompt = offered.has(name) ? name : [...offered].find(([, tool]) => tool.name === name)?.[0];
    if (inPrompt === undefined) throw noTool(`There is no tool "${name}" in tools, or it cannot be offered here.`);
    return inPrompt;
  };
  if (choice.type !== 'allowed_tools') {
    const inPrompt = promptName(choice.name, (choice as { namespace?: string }).namespace);
    return { tools: all, toolChoice: { name: named(inPrompt) } };
  }
  const allowed = new Set(choice.tools.flatMap(({ name }) => (name ? [named(name)] : [])));
  const toolChoice: ToolChoice = choice.mode === 'required' ? 'required' : 'auto';
  if (allowed.size === 0) throw noTool('None of the allowed tools can be offered here.');
  return { tools: all.filter((tool) => allowed.has(tool.function.name)), toolChoice };
}

const noTool = (message: string): ApiError => new ApiError(400, 'invalid_value', message, { param: 'tool_choice' });
