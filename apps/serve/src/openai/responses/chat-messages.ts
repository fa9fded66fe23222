// Items in the words of the neutral chat. What the assistant thought, said and called before anybody answered is one
// message, as templates have it.
import { ApiError } from '../../api-error.ts';
import { ArgumentsReader } from '../../chat/call-arguments.ts';
import type { RequestMessage } from '../../chat/messages.ts';
import { openThought } from '../../chat/thought-seal.ts';
import type { ContentPart, Item } from './item-shapes.ts';
import { customArgument, promptName } from './tools.ts';

interface AssistantTurn {
  reasoning: string;
  content: string | undefined;
  calls: { id: string; type: 'function'; function: { name: string; arguments: Record<string, unknown> } }[];
}

/**
 * Pauses between long arguments.
 * @param history items of earlier responses
 * @param input those of the request
 * @throws ApiError 400
 */
export function* chatMessages(
  instructions: string | null | undefined,
  history: readonly Item[],
  input: readonly Item[],
): Generator<void, RequestMessage[]> {
  const conversation = new Conversation();
  if (instructions) conversation.add({ role: 'system', content: instructions });
  for (const item of history) yield* conversation.item(item, 'previous_response_id');
  for (const [index, item] of input.entries()) yield* conversation.item(item, `input.${index}`);
  return conversation.end();
}

const textOf = (parts: readonly ContentPart[], between: string): string =>
  parts.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join(between);

class Conversation {
  readonly #messages: RequestMessage[] = [];
  readonly #arguments = new ArgumentsReader();
  readonly #toolNames = new Map<string, string>();
  #turn: AssistantTurn | undefined;

  *item(item: Item, path: string): Generator<void, void> {
    switch (item.type) {
      case 'message':
        if (item.role === 'assistant') this.#say(textOf(item.content, ''));
        else this.add({ role: item.role, content: textOf(item.content, '\n') });
        return;
      case 'reasoning':
        this.#think(item, path);
        return;
      case 'function_call':
        this.#call(item, yield* this.#arguments.read(item.arguments, `${path}.arguments`));
        return;
      case 'custom_tool_call':
        this.#call(item, { [customArgument]: item.input });
        return;
      default:
        this.#result(item, path);
    }
  }

  /** Instructions that follow each other at the beginning are one message: many templates read the first alone. */
  add(message: RequestMessage & { content: string }): void {
    this.#endTurn();
    const last = this.#messages.at(-1);
    const isInstruction = message.role === 'system' || message.role === 'developer';
    if (isInstruction && this.#messages.length === 1 && last!.role === 'system')
      this.#messages[0] = { role: 'system', content: `${last!.content}\n\n${message.content}` };
    else this.#messages.push(isInstruction ? { ...message, role: 'system' } : message);
  }

  end(): RequestMessage[] {
    this.#endTurn();
    return this.#messages;
  }

  #begun(): AssistantTurn {
    this.#turn ??= { reasoning: '', content: undefined, calls: [] };
    return this.#turn;
  }

  #say(text: string): void {
    if (this.#turn && (this.#turn.content !== undefined || this.#turn.calls.length > 0)) this.#endTurn();
    this.#begun().content = text;
  }

  #think({ content, summary, encrypted_content: seal }: Extract<Item, { type: 'reasoning' }>, path: string): void {
    if (this.#turn && (this.#turn.content !== undefined || this.#turn.calls.length > 0)) this.#endTurn();
    const shown = (content?.length ? content : (summary ?? [])).map(({ text }) => text).join('\n');
    this.#begun().reasoning += openThought(shown, seal, `${path}.encrypted_content`) ?? '';
  }

  #call(item: { call_id: string; name: string; namespace?: string | null }, args: Record<string, unknown>): void {
    const name = promptName(item.name, item.namespace);
    this.#toolNames.set(item.call_id, name);
    this.#begun().calls.push({ id: item.call_id, type: 'function', function: { name, arguments: args } });
  }

  #result({ call_id: id, output }: { call_id: string; output: readonly ContentPart[] }, path: string): void {
    const name = this.#toolNames.get(id);
    if (name === undefined) {
      const param = `${path}.call_id`;
      throw new ApiError(400, 'invalid_value', `${param}: no call before it has the id "${id}".`, { param });
    }
    this.#endTurn();
    this.#messages.push({ role: 'tool', tool_call_id: id, name, content: textOf(output, '\n') });
  }

  #endTurn(): void {
    if (!this.#turn) return;
    const { reasoning, content = '', calls } = this.#turn;
    this.#turn = undefined;
    if (!reasoning && !content && calls.length === 0) return;
    this.#messages.push({
      role: 'assistant',
      content,
      ...(reasoning ? { reasoning_content: reasoning } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    });
  }
}
