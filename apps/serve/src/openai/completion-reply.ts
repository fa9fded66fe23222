// What /v1/completions answers, whole or in chunks. Choices are numbered prompt by prompt: those of the first, then those of the
// second.
import type { TokenEvent } from '@quern/engine';
import { costOfAll, costOfPrompts, type ReplyCost } from '../generate/cost.ts';
import { cancelled, type GenerationEvent, type GenerationTask, generate } from '../generate/generation.ts';
import { interleave } from '../generate/interleave.ts';
import { promptLogProbs } from '../generate/prompt-log-probs.ts';
import type { ServedModel } from '../models/served-model.ts';
import type { Extras } from './extras.ts';
import { usage } from './response-fields.ts';
import { logProbsBehind, promptTextLogProbs, type TextLogProbs, TextOffsets, textLogProbs } from './token-log-probs.ts';

export interface CompletionForm {
  readonly model: ServedModel;
  readonly head: object;
  /** How many alternatives per token to tell; undefined: no log probabilities. */
  readonly logProbs?: number;
  /** Tokens as `token_id:17`. */
  readonly tokensAsIds: boolean;
  readonly includeUsage: boolean;
  /** Choices of each prompt. */
  readonly count: number;
}

/** The replies to one prompt. */
export interface PromptReplies {
  readonly branches: readonly GenerationTask[];
  readonly extras: Extras;
  /** What they are replies to. */
  readonly task: GenerationTask;
  /** In front of every reply. */
  readonly echo: string;
}

interface Reply {
  readonly text: string;
  readonly tokens: readonly TokenEvent[];
  readonly end: Extract<GenerationEvent, { type: 'end' }>;
}

async function readReply(task: GenerationTask): Promise<Reply> {
  let text = '';
  const tokens: TokenEvent[] = [];
  for await (const event of generate(task)) {
    if (event.type === 'end') return { text, tokens, end: event };
    text += event.text;
    tokens.push(...event.tokens);
  }
  throw cancelled();
}

/** Mean log probability of its tokens: what `best_of` compares. */
const likelihood = ({ tokens }: Reply): number =>
  tokens.reduce((sum, { logprob }) => sum + logprob!, 0) / Math.max(1, tokens.length);

export async function wholeCompletion(prompts: readonly PromptReplies[], form: CompletionForm): Promise<unknown> {
  const { count } = form;
  const echoed = await Promise.all(prompts.map((prompt) => echoLogProbs(prompt, form)));
  const answers = await Promise.all(prompts.map(({ branches }) => Promise.all(branches.map(readReply))));
  const choices = answers.flatMap((replies, at) => {
    const { echo, extras } = prompts[at]!;
    const offsets = () => offsetsOf(prompts[at]!, form);
    const best = replies.length === count ? replies : [...replies].sort((a, b) => likelihood(b) - likelihood(a));
    return best.slice(0, count).map(({ text, tokens, end }, reply) => ({
      ...choice(at * count + reply, echo + text),
      logprobs: logProbsBehind(echoed[at], replyLogProbs(tokens, offsets(), form)),
      finish_reason: end.finishReason,
      ...extras.prompt(),
      ...extras.choice(tokens, end),
    }));
  });
  const cost = costOfPrompts(answers.map((replies) => costOfAll(replies.map(({ end }) => end.cost))));
  return { ...form.head, choices, usage: usage(cost), ...prompts[0]!.extras.timings(cost) };
}

const offsetsOf = ({ task, echo }: PromptReplies, { model }: CompletionForm): TextOffsets =>
  new TextOffsets(model.tokenizer, echo.length, task.request.skip_special_tokens === false);

const replyLogProbs = (tokens: readonly TokenEvent[], offsets: TextOffsets, form: CompletionForm) =>
  form.logProbs === undefined ? null : textLogProbs(form.model.tokenizer, tokens, offsets, form.tokensAsIds);

/** Those of a prompt that is shown: before the replies, which find the prompt computed. */
async function echoLogProbs({ task, echo }: PromptReplies, { model, logProbs, tokensAsIds }: CompletionForm) {
  if (!echo || logProbs === undefined) return undefined;
  const behindFirst = await promptLogProbs(task, logProbs);
  return promptTextLogProbs(model.tokenizer, task.prompt, { text: echo, behindFirst, tokensAsIds });
}

const choice = (index: number, text: string, logprobs: TextLogProbs | null = null) => {
  const finish_reason: string | null = null;
  return { index, text, logprobs, finish_reason };
};

export async function* completionChunks(
  prompts: readonly PromptReplies[],
  form: CompletionForm,
): AsyncGenerator<unknown> {
  const { head, count, includeUsage } = form;
  const shared = { ...head, ...(includeUsage ? { usage: null } : {}) };
  const chunk = (of: object, extras: Extras, cost: ReplyCost) => {
    const all = { ...shared, choices: [of] };
    const progress = extras.progress(cost);
    return progress ? { ...all, ...progress } : all;
  };
  const branches = prompts.flatMap((prompt) => prompt.branches);
  const offsets = branches.map((_, index) => offsetsOf(prompts[Math.floor(index / count)]!, form));
  const costs: ReplyCost[][] = prompts.map(() => []);
  const echoed = await Promise.all(prompts.map((prompt) => echoLogProbs(prompt, form)));
  for (const index of branches.keys()) {
    const at = Math.floor(index / count);
    const { echo, extras } = prompts[at]!;
    const first = { ...extras.prompt(), ...(echoed[at] && { logprobs: echoed[at] }) };
    if (echo || Object.keys(first).length > 0)
      yield { ...shared, choices: [{ ...choice(index, echo), ...first }], ...extras.opening() };
  }
  for await (const { index, value: event } of interleave(branches.map(generate))) {
    const at = Math.floor(index / count);
    const { extras } = prompts[at]!;
    if (event.type === 'end') {
      const last = { ...choice(index, ''), finish_reason: event.finishReason, ...extras.choice([], event) };
      const timings = includeUsage ? undefined : extras.timings(event.cost);
      yield { ...chunk(last, extras, event.cost), ...timings };
      costs[at]!.push(event.cost);
      continue;
    }
    const logprobs = replyLogProbs(event.tokens, offsets[index]!, form);
    const more = extras.choice(event.tokens);
    if (!event.text && !logprobs?.tokens.length && !more) continue;
    const said = choice(index, event.text, logprobs);
    yield chunk(more ? { ...said, ...more } : said, extras, event.cost);
  }
  if (!includeUsage) return;
  const cost = costOfPrompts(costs.map(costOfAll));
  yield { ...shared, choices: [], usage: usage(cost), ...prompts[0]!.extras.timings(cost) };
}
