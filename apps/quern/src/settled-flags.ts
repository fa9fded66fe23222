// THE table of llama.cpp's flags that ask for what is always so here: they are in everybody's scripts, so they are taken, with a note
// that says why they change nothing. Asked for the opposite, they are refused. Anything else that has no meaning here is in llama-flags.ts.

export interface SettledFlag {
  readonly names: readonly string[];
  /** Those that ask for what is so. Undefined: the flag has no value. */
  readonly values?: readonly string[];
  /** Of a flag that may stand alone: the others that it takes. */
  readonly others?: readonly string[];
  readonly why: string;
  /** What to do instead, where it asks for something else. */
  readonly otherwise?: string;
  /** Commands without this flag have nothing of the kind, */
  readonly beside: string;
  /** and say so. */
  readonly instead: string;
}

const on = ['on', 'auto', '1', 'true', 'enabled'];
const off = ['off', '0', 'false', 'disabled'];
const ofServer = { beside: '--parallel', instead: 'Only serve has it, and there it is always so.' };

export const settledFlags: readonly SettledFlag[] = [
  {
    names: ['-fa', '--flash-attn'],
    ...{ values: on, others: off, why: 'attention never holds a whole row of scores here' },
    otherwise: 'Leave it out; --device reference computes with whole rows of scores, slowly.',
    ...{ beside: '--device', instead: 'Commands that run a model have it: eval, serve, run, logits.' },
  },
  {
    names: ['--no-mmap'],
    ...{ why: 'weights are always read into memory', beside: '--device' },
    instead: 'Leave it out: weights are always read into memory.',
  },
  { names: ['--jinja'], why: 'chat templates are always Jinja', ...ofServer },
  {
    names: ['--reasoning-format'],
    ...{ values: ['deepseek', 'auto'], why: 'thoughts always come apart from the answer, as reasoning_content' },
    ...ofServer,
  },
  { names: ['--no-prefill-assistant'], why: 'a last message goes on only where a request says so', ...ofServer },
  { names: ['-cb', '--cont-batching'], why: 'requests are always computed together', ...ofServer },
  { names: ['-kvu', '--kv-unified'], why: 'requests always share one cache', ...ofServer },
  { names: ['--no-context-shift'], why: 'nothing is ever cut', ...ofServer },
  { names: ['--cache-prompt', '--cache-idle-slots'], why: 'finished requests are kept (--cache-ram)', ...ofServer },
  { names: ['--metrics'], why: 'GET /metrics is always there', ...ofServer },
  { names: ['--slots'], why: 'GET /slots is always there', ...ofServer },
  { names: ['--ui', '--webui'], why: 'the chat page is always there', ...ofServer },
  { names: ['--rerank', '--reranking'], why: 'a reranker is one without being told', ...ofServer },
  { names: ['--models-autoload'], why: 'models are always loaded when a request names them', ...ofServer },
  { names: ['--no-warmup'], why: 'nothing is computed before the first request', ...ofServer },
  { names: ['--no-mmproj'], why: 'towers of pictures are not loaded', ...ofServer },
];

const rows = new Map(settledFlags.flatMap((row) => row.names.map((name) => [name, row] as const)));

export const settledFlagNamed = (name: string): SettledFlag | undefined => rows.get(name);
