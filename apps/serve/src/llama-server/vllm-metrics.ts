// Figures in vLLM's names, for dashboards that were made for it. Its lines are labelled with the model.
import type { Metric } from './metric.ts';

export const vllmMetrics: readonly Metric[] = [
  {
    ...{ name: 'vllm:num_requests_running', type: 'gauge', help: 'Requests that run.' },
    value: ({ requests }) => requests.running,
  },
  {
    ...{ name: 'vllm:num_requests_waiting', type: 'gauge', help: 'Requests that wait.' },
    value: ({ requests }) => requests.waiting,
  },
  {
    ...{ name: 'vllm:kv_cache_usage_perc', type: 'gauge', help: 'Share of the KV cache in use; 1: all of it.' },
    value: ({ blocks }) => blocks.used / Math.max(1, blocks.total),
  },
  {
    ...{ name: 'vllm:num_preemptions_total', type: 'counter', help: 'Requests that had to wait again for room.' },
    value: ({ totals }) => totals.preemptions,
  },
  {
    ...{ name: 'vllm:prefix_cache_queries_total', type: 'counter', help: 'Prompt tokens that were looked for.' },
    value: ({ totals }) => totals.promptTokens,
  },
  {
    ...{ name: 'vllm:prefix_cache_hits_total', type: 'counter', help: 'Prompt tokens that were found computed.' },
    value: ({ totals }) => totals.cachedTokens,
  },
  {
    ...{ name: 'vllm:prompt_tokens_total', type: 'counter', help: 'Tokens of prompts.' },
    value: ({ totals }) => totals.promptTokens,
  },
  {
    ...{ name: 'vllm:generation_tokens_total', type: 'counter', help: 'Tokens of replies.' },
    value: ({ totals }) => totals.generatedTokens,
  },
  {
    ...{ name: 'vllm:request_success_total', type: 'counter', help: 'Requests that ended, by how.' },
    value: ({ totals: { endings } }) => [
      [{ finished_reason: 'stop' }, endings.stop],
      [{ finished_reason: 'length' }, endings.length + endings.deadline],
      [{ finished_reason: 'abort' }, endings.cancelled],
      [{ finished_reason: 'error' }, endings.error],
    ],
  },
  {
    ...{ name: 'vllm:time_to_first_token_seconds', type: 'histogram', help: 'From a request to its first token.' },
    value: ({ latencies }) => latencies.firstToken,
  },
  {
    ...{ name: 'vllm:inter_token_latency_seconds', type: 'histogram', help: 'Between tokens of a reply.' },
    value: ({ latencies }) => latencies.interToken,
  },
  {
    ...{ name: 'vllm:e2e_request_latency_seconds', type: 'histogram', help: 'From a request to its last token.' },
    value: ({ latencies }) => latencies.request,
  },
  {
    ...{ name: 'vllm:request_queue_time_seconds', type: 'histogram', help: 'Waiting for a place.' },
    value: ({ latencies }) => latencies.queue,
  },
  {
    ...{ name: 'vllm:request_prefill_time_seconds', type: 'histogram', help: 'Computing the prompt.' },
    value: ({ latencies }) => latencies.prefill,
  },
  {
    ...{ name: 'vllm:request_decode_time_seconds', type: 'histogram', help: 'From the first token to the last.' },
    value: ({ latencies }) => latencies.decode,
  },
];
