// The response object: what it was asked with, how it ended, and its items.
import type { ReplyCost } from '../../generate/cost.ts';
import { showsLogProbs } from './chat-request.ts';
import type { ResponsesRequest } from './request-shape.ts';
import type { Tools } from './tools.ts';

type Status = 'in_progress' | 'completed' | 'incomplete';

export type OutputText = { type: 'output_text'; text: string; annotations: []; logprobs: object[] };
export type ReasoningText = { type: 'reasoning_text'; text: string };
export type SummaryText = { type: 'summary_text'; text: string };

export type OutputItem =
  | { id: string; type: 'message'; status: Status; role: 'assistant'; content: OutputText[] }
  | {
      id: string;
      type: 'reasoning';
      status: Status;
      summary: SummaryText[];
      content: ReasoningText[];
      encrypted_content: string | null;
    }
  | {
      id: string;
      type: 'function_call';
      status: Status;
      call_id: string;
      name: string;
      namespace?: string;
      arguments: string;
    }
  | {
      id: string;
      type: 'custom_tool_call';
      status: Status;
      call_id: string;
      name: string;
      namespace?: string;
      input: string;
    };

export interface ResponseUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: 0 };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** What is said of a response from its first event to its last. */
export interface ResponseHead {
  readonly id: string;
  readonly object: 'response';
  readonly created_at: number;
  readonly model: string;
  readonly previous_response_id: string | null;
  readonly [field: string]: unknown;
}

export interface ResponseObject extends ResponseHead {
  readonly status: Status | 'failed';
  readonly output: readonly OutputItem[];
}

export function responseHead(
  request: ResponsesRequest,
  { id, model, createdSeconds, tools }: { id: string; model: string; createdSeconds: number; tools: Tools },
): ResponseHead {
  const { reasoning, text } = request;
  return {
    id,
    object: 'response',
    created_at: createdSeconds,
    background: false,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    model,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: {
      effort: reasoning?.effort ?? null,
      summary: reasoning?.summary ?? reasoning?.generate_summary ?? null,
    },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: 'default',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: text?.format ?? { type: 'text' }, verbosity: 'medium' },
    tool_choice: request.tool_choice ?? 'auto',
    tools: tools.kept,
    top_logprobs: showsLogProbs(request) ? (request.top_logprobs ?? 0) : 0,
    top_p: request.top_p ?? 1,
    truncation: 'disabled',
    user: request.user ?? null,
  };
}

export const responseUsage = (cost: ReplyCost): ResponseUsage => ({
  input_tokens: cost.promptTokens,
  input_tokens_details: { cached_tokens: cost.cachedTokens, cache_write_tokens: 0 },
  output_tokens: cost.completionTokens,
  output_tokens_details: { reasoning_tokens: cost.reasoningTokens ?? 0 },
  total_tokens: cost.promptTokens + cost.completionTokens,
});
