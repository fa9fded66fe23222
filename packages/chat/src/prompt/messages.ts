// Messages and tools in the shape that a template reads.
import type { ChatMessage } from '@quern/tokenizer';
import type { ChatFormat, ToolDefinition } from '../format.ts';
import { record } from '../tools.ts';
import { withIds } from './call-ids.ts';
import { withInstructions } from './instructions.ts';

export function templateMessages({ messages: shape }: ChatFormat, messages: readonly ChatMessage[]): ChatMessage[] {
  const placed = withInstructions(shape.instructions, messages);
  return (shape.ids ? withIds(shape.ids, placed) : placed).map((message) => {
    if (message.role === 'tool') return { ...message, role: shape.toolRole };
    if (message.role !== 'assistant') return message;
    const { reasoning_content: reasoning, tool_calls: calls, content, ...rest } = message;
    const hasCalls = Array.isArray(calls) && calls.length > 0;
    return {
      ...rest,
      ...withReasoning(content || !hasCalls ? (content ?? '') : shape.noContent, reasoning, shape.reasoning),
      ...(hasCalls && { tool_calls: calls.map((call) => templateCall(call, shape.arguments)) }),
    };
  });
}

export function templateTools(
  { messages: shape }: ChatFormat,
  tools: readonly ToolDefinition[],
): readonly ToolDefinition[] {
  if (!shape.needsDescription) return tools;
  return tools.map((tool) => ({
    ...tool,
    function: { ...tool.function, description: tool.function.description ?? '' },
  }));
}

function withReasoning(content: unknown, reasoning: unknown, field: string): Record<string, unknown> {
  if (typeof reasoning !== 'string' || reasoning === '') return { content };
  if (field !== 'content') return { content, [field]: reasoning };
  return {
    content: [
      { type: 'thinking', thinking: reasoning },
      { type: 'text', text: content ?? '' },
    ],
  };
}

function templateCall(call: unknown, form: 'object' | 'text'): unknown {
  const given = record(call);
  const called = record(given?.function);
  if (!given || !called) return call;
  const { arguments: args } = called;
  return {
    ...given,
    type: 'function',
    function: { ...called, arguments: form === 'text' ? textOf(args) : objectOf(args) },
  };
}

const textOf = (args: unknown): unknown => (typeof args === 'string' ? args : JSON.stringify(args));

function objectOf(args: unknown): unknown {
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args || '{}');
  } catch {
    return args;
  }
}
