// GET /metrics: figures for Prometheus, in its text format. What llama-server counts has llama-server's name.
import type { EngineStats } from '@quern/engine';
import { type Endpoint, withLoadedModel } from '../endpoint.ts';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (stats: EngineStats) => number;
}

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

export const metricsPage: Endpoint = {
  method: 'GET',
  path: '/metrics',
  handle: (context, server) =>
    withLoadedModel(context, server, async ({ model: { engine } }) => {
      const stats = await engine.stats();
      const lines = metrics.map(
        ({ name, type, help, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value(stats)}\n`,
      );
      return context.body(lines.join(''), 200, { 'content-type': 'text/plain; version=0.0.4' });
    }),
};
