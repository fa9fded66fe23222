// GET /metrics: figures for Prometheus, in its text format. What llama-server and vLLM count has their names.
import { type Endpoint, withLoadedModel } from '../endpoint.ts';
import { type Metric, metricText } from './metric.ts';
import { vllmMetrics } from './vllm-metrics.ts';

const perSecond = (amount: number, ms: number): number => (ms > 0 ? (1000 * amount) / ms : 0);

const metrics: readonly Metric[] = [
  {
    ...{
      name: 'llamacpp:prompt_tokens_total',
      type: 'counter',
      help: 'Prompt tokens computed, of requests that have ended.',
    },
    value: ({ totals }) => totals.promptTokens - totals.cachedTokens,
  },
  {
    ...{
      name: 'llamacpp:tokens_predicted_total',
      type: 'counter',
      help: 'Tokens generated, of requests that have ended.',
    },
    value: ({ totals }) => totals.generatedTokens,
  },
  {
    ...{ name: 'llamacpp:prompt_seconds_total', type: 'counter', help: 'Time that computing prompts took.' },
    value: ({ totals }) => totals.promptMs / 1000,
  },
  {
    ...{ name: 'llamacpp:prompt_tokens_seconds', type: 'gauge', help: 'Prompt tokens per second, on average.' },
    value: ({ totals }) => perSecond(totals.promptTokens - totals.cachedTokens, totals.promptMs),
  },
  {
    ...{ name: 'llamacpp:tokens_predicted_seconds_total', type: 'counter', help: 'Time that generating took.' },
    value: ({ totals }) => totals.generationMs / 1000,
  },
  {
    ...{ name: 'llamacpp:predicted_tokens_seconds', type: 'gauge', help: 'Generated tokens per second, on average.' },
    value: ({ totals }) => perSecond(totals.generatedTokens, totals.generationMs),
  },
  {
    ...{ name: 'llamacpp:n_tokens_max', type: 'counter', help: 'Most tokens that a request had.' },
    value: ({ totals }) => totals.mostTokens,
  },
  {
    ...{ name: 'llamacpp:n_busy_slots_per_decode', type: 'gauge', help: 'Requests in a batch, on average.' },
    value: ({ totals }) => totals.sequences / Math.max(1, totals.steps),
  },
  {
    ...{ name: 'llamacpp:spec_decode_num_draft_tokens_total', type: 'counter', help: 'Tokens guessed ahead.' },
    value: ({ speculation }) => speculation?.guessed ?? 0,
  },
  {
    ...{ name: 'llamacpp:spec_decode_num_accepted_tokens_total', type: 'counter', help: 'Those that were right.' },
    value: ({ speculation }) => speculation?.accepted ?? 0,
  },
  {
    ...{ name: 'llamacpp:n_decode_total', type: 'counter', help: 'Batches computed.' },
    value: ({ totals }) => totals.steps,
  },
  {
    ...{ name: 'llamacpp:requests_processing', type: 'gauge', help: 'Requests that run.' },
    value: ({ requests }) => requests.running,
  },
  {
    ...{ name: 'llamacpp:requests_deferred', type: 'gauge', help: 'Requests that wait.' },
    value: ({ requests }) => requests.waiting,
  },
  {
    ...{ name: 'quern:cached_tokens_total', type: 'counter', help: 'Prompt tokens that needed no computation.' },
    value: ({ totals }) => totals.cachedTokens,
  },
  {
    ...{
      name: 'quern:preemptions_total',
      type: 'counter',
      help: 'Requests that had to wait again for room in the KV cache.',
    },
    value: ({ totals }) => totals.preemptions,
  },
  {
    ...{ name: 'quern:kv_blocks', type: 'gauge', help: 'Blocks of the KV cache.' },
    value: ({ blocks }) => blocks.total,
  },
  {
    ...{
      name: 'quern:kv_blocks_used',
      type: 'gauge',
      help: 'Blocks that running requests use; shared ones count once.',
    },
    value: ({ blocks }) => blocks.used,
  },
  {
    ...{ name: 'quern:kv_blocks_used_peak', type: 'gauge', help: 'Most blocks that were used at a time.' },
    value: ({ blocks }) => blocks.peakUsed,
  },
  {
    ...{ name: 'quern:prefix_cache_bytes', type: 'gauge', help: 'Bytes of what is kept of earlier requests.' },
    value: ({ kept }) => kept.bytes,
  },
  {
    ...{ name: 'quern:prefix_cache_budget_bytes', type: 'gauge', help: 'Bytes that it may take (--cache-ram).' },
    value: ({ kept }) => kept.budgetBytes,
  },
  {
    ...{ name: 'quern:prefix_cache_snapshots', type: 'gauge', help: 'Kept states of recurrent or windowed layers.' },
    value: ({ kept }) => kept.snapshots,
  },
  {
    ...{ name: 'quern:draft_tokens_total', type: 'counter', help: 'Tokens guessed ahead and looked at.' },
    value: ({ speculation }) => speculation?.guessed ?? 0,
  },
  {
    ...{ name: 'quern:draft_tokens_accepted_total', type: 'counter', help: 'Guessed tokens that were right.' },
    value: ({ speculation }) => speculation?.accepted ?? 0,
  },
  {
    ...{
      name: 'quern:speculation_speedup',
      type: 'gauge',
      help: 'Times as fast as without guesses, over the steps that had some, by what steps cost.',
    },
    value: ({ speculation }) => speculation?.speedup ?? 1,
  },
];

const headers = {
  'content-type': 'text/plain; version=0.0.4',
  /** llama-server's: counters begin again with the process. */
  'process-start-time-unix': `${Math.floor(performance.timeOrigin / 1000)}`,
};

export const metricsPage: Endpoint = {
  method: 'GET',
  path: '/metrics',
  handle: (context, server) =>
    withLoadedModel(context, server, async ({ model: { id, engine } }) => {
      const stats = await engine.stats();
      const own = metrics.map((metric) => metricText(metric, stats));
      const labelled = vllmMetrics.map((metric) => metricText(metric, stats, { model_name: id }));
      return context.body([...own, ...labelled].join(''), 200, headers);
    }),
};
