// From chat messages to the text of a prompt, through the model's own template. The template is the authority on
// special tokens (BOS included), as in transformers, so the rendered text is encoded as it stands.
import { type Prompt, type PromptOptions, promptOf, promptRendering } from '@quern/chat';
import { QuernError } from '@quern/errors';
import { ApiError } from '../api-error.ts';
import { withPauses } from '../http/pauses.ts';
import type { ServedModel } from '../models/served-model.ts';
import { renderMessages } from '../text/render-messages.ts';
import type { ChatRequest } from './chat.ts';
import { type RequestTool, templateMessages } from './messages.ts';
import { withOpening } from './opening.ts';

/** The assistant's turn is opened behind the messages; or not; or the last message goes on. */
export type PromptEnding = 'opened' | 'closed' | 'continued';

/** What the client can mend by changing its messages; other template failures are the model's. */
const messageFaults = new Set(['chat-template-refused', 'chat-template-runaway']);

/** @throws ApiError 400 when the template refuses these messages */
export async function chatPrompt(
  model: ServedModel,
  chat: ChatRequest,
  tools: readonly RequestTool[] | undefined,
  signal: AbortSignal,
): Promise<Prompt> {
  const { template, format, special } = model.chat;
  const { messages, templateVariables, ending = 'opened' } = chat;
  const options: PromptOptions = {
    messages: withOpening(
      chat.before?.length ? undefined : model.created,
      await withPauses(templateMessages(messages)),
    ),
    tools,
    thinking: thinkingOf(chat),
    variables: templateVariables,
    special,
    addGenerationPrompt: ending === 'opened',
    continueFinalMessage: ending === 'continued',
  };
  try {
    const rendered = await renderMessages(model, promptRendering(format, template, options), signal);
    return promptOf(format, rendered, options);
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    if (error.code === 'chat-nothing-to-continue') {
      const param = 'continue_final_message';
      throw new ApiError(400, 'invalid_value', `${param}: ${error.message}`, { param });
    }
    if (!messageFaults.has(error.code)) throw error;
    throw new ApiError(400, error.code.replaceAll('-', '_'), error.message, { param: 'messages' });
  }
}

/** Whether the reply is to begin with its answer. */
export function isThinkingOff(chat: ChatRequest): boolean {
  const thinking = thinkingOf(chat);
  return thinking === false || thinking === 'none';
}

/** A budget of nothing, or an effort of none, is no thinking; templates know `enable_thinking` by other names, too. */
function thinkingOf({ thinking, thinkingBudget, reasoningEffort, templateVariables }: ChatRequest) {
  const variable = templateVariables?.enable_thinking;
  if (thinkingBudget === 0 || thinking === false) return false;
  return reasoningEffort ?? thinking ?? (typeof variable === 'boolean' ? variable : undefined);
}
