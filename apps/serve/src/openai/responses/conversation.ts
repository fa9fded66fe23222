// What a request goes on from: the items of earlier responses, and its own with what their references stand for.
import type { Conversation } from './chat-request.ts';
import type { Item } from './item-shapes.ts';
import { newId } from './output-items.ts';
import type { PromptRequest } from './request-shape.ts';
import type { ResponseStore, StoredItem } from './response-store.ts';
import { toolsOf } from './tools.ts';

const prefixes: Readonly<Record<Item['type'], string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  custom_tool_call: 'ctc',
  function_call_output: 'fco',
  custom_tool_call_output: 'ctco',
};

/** @throws ApiError 400 */
export function conversationOf(
  { input, previous_response_id: previous, tools }: PromptRequest,
  store: ResponseStore,
): Conversation & { readonly input: readonly StoredItem[] } {
  const items = (input ?? []).map((item, index) => {
    const own = item.type === 'item_reference' ? store.item(item.id, `input.${index}.id`) : item;
    return { ...own, id: own.id ?? newId(prefixes[own.type]) };
  });
  return { history: store.history(previous), input: items, tools: toolsOf(tools ?? []) };
}
