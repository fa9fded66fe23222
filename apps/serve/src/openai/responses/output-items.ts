// The items of a response while they are made: each is opened, filled in pieces and closed, with an event for each step.

import type { ReplyEvent } from '@quern/chat';
import { closedJson } from '../../chat/closed-json.ts';
import { sealThought } from '../../chat/thought-seal.ts';
import { randomId } from '../../random-id.ts';
import type { OutputItem } from './response-object.ts';
import { customArgument, type OfferedTool } from './tools.ts';

export const newId = (prefix: string): string => randomId(`${prefix}_`);

/** An event without its place in the response. */
export type ItemEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** An item that is being made. */
export interface OpenItem {
  /** As it is before anything is in it. */
  readonly empty: OutputItem;
  opened(): ItemEvent[];
  add(text: string, logProbs: readonly object[]): ItemEvent[];
  /** What is said before the item is done, and the item. */
  close(status: 'completed' | 'incomplete'): { events: ItemEvent[]; item: OutputItem };
}

export interface ItemForm {
  readonly tools: ReadonlyMap<string, OfferedTool>;
  /** Thoughts are shown as their own summary. */
  readonly summarizes: boolean;
  /** Thoughts are given in a seal too, for clients that give back nothing else. */
  readonly seals: boolean;
}

/** The item that begins with `part`. */
export function openItem(part: ReplyEvent, form: ItemForm): OpenItem {
  if (part.type === 'content') return messageItem();
  if (part.type === 'reasoning') return form.summarizes ? summaryItem(form) : reasoningItem(form);
  if (part.type === 'arguments') throw new Error('arguments without a call');
  const tool = form.tools.get(part.name);
  return tool?.kind === 'custom' ? customCallItem(tool) : functionCallItem(tool ?? { name: part.name });
}

function messageItem(): OpenItem {
  const id = newId('msg');
  const base = { id, type: 'message', role: 'assistant' } as const;
  const part = (text: string, logprobs: object[]) =>
    ({ type: 'output_text', text, annotations: [], logprobs }) as const;
  let text = '';
  const logprobs: object[] = [];
  const at = { item_id: id, content_index: 0 };
  return {
    empty: { ...base, status: 'in_progress', content: [] },
    opened: () => [{ type: 'response.content_part.added', ...at, part: part('', []) }],
    add(delta, added) {
      text += delta;
      logprobs.push(...added);
      return [{ type: 'response.output_text.delta', ...at, delta, logprobs: added }];
    },
    close(status) {
      const whole = part(text, logprobs);
      const events = [
        { type: 'response.output_text.done', ...at, text, logprobs },
        { type: 'response.content_part.done', ...at, part: whole },
      ];
      return { events, item: { ...base, status, content: [{ ...whole, annotations: [] }] } };
    },
  };
}

function reasoningItem({ seals }: ItemForm): OpenItem {
  const id = newId('rs');
  const base = { id, type: 'reasoning', summary: [] } as const;
  let text = '';
  const at = { item_id: id, content_index: 0 };
  return {
    empty: { ...base, summary: [], status: 'in_progress', content: [], encrypted_content: null },
    opened: () => [{ type: 'response.content_part.added', ...at, part: { type: 'reasoning_text', text: '' } }],
    add(delta) {
      text += delta;
      return [{ type: 'response.reasoning_text.delta', ...at, delta }];
    },
    close(status) {
      const part = { type: 'reasoning_text', text } as const;
      const events = [
        { type: 'response.reasoning_text.done', ...at, text },
        { type: 'response.content_part.done', ...at, part },
      ];
      const encrypted_content = seals ? sealThought(text, true) : null;
      return { events, item: { ...base, summary: [], status, content: [part], encrypted_content } };
    },
  };
}

function summaryItem({ seals }: ItemForm): OpenItem {
  const id = newId('rs');
  const base = { id, type: 'reasoning' } as const;
  let text = '';
  const at = { item_id: id, summary_index: 0 };
  return {
    empty: { ...base, summary: [], status: 'in_progress', content: [], encrypted_content: null },
    opened: () => [{ type: 'response.reasoning_summary_part.added', ...at, part: { type: 'summary_text', text: '' } }],
    add(delta) {
      text += delta;
      return [{ type: 'response.reasoning_summary_text.delta', ...at, delta }];
    },
    close(status) {
      const part = { type: 'summary_text', text } as const;
      const events = [
        { type: 'response.reasoning_summary_text.done', ...at, text },
        { type: 'response.reasoning_summary_part.done', ...at, part },
      ];
      const encrypted_content = seals ? sealThought(text, true) : null;
      return { events, item: { ...base, summary: [part], status, content: [], encrypted_content } };
    },
  };
}

const named = ({ name, namespace }: Pick<OfferedTool, 'name' | 'namespace'>) => ({
  call_id: newId('call'),
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

function functionCallItem(tool: Pick<OfferedTool, 'name' | 'namespace'>): OpenItem {
  const id = newId('fc');
  const base = { id, type: 'function_call', ...named(tool) } as const;
  let json = '';
  return {
    empty: { ...base, arguments: '', status: 'in_progress' },
    opened: () => [],
    add(delta) {
      json += delta;
      return [{ type: 'response.function_call_arguments.delta', item_id: id, delta }];
    },
    close(status) {
      const done = { type: 'response.function_call_arguments.done', item_id: id, name: tool.name, arguments: json };
      return { events: [done], item: { ...base, arguments: json, status } };
    },
  };
}

/** Its text is known when the argument that it is has been read to its end. */
function customCallItem(tool: OfferedTool): OpenItem {
  const id = newId('ctc');
  const base = { id, type: 'custom_tool_call', ...named(tool) } as const;
  let json = '';
  return {
    empty: { ...base, input: '', status: 'in_progress' },
    opened: () => [],
    add(delta) {
      json += delta;
      return [];
    },
    close(status) {
      const value = (closedJson(json) as Record<string, unknown>)[customArgument];
      const input = typeof value === 'string' ? value : json;
      const events = [
        { type: 'response.custom_tool_call_input.delta', item_id: id, delta: input },
        { type: 'response.custom_tool_call_input.done', item_id: id, input },
      ];
      return { events, item: { ...base, input, status } };
    },
  };
}
