// What /completion and /infill answer, whole or in chunks: llama-server's fields. A list of answers where there are several.
import type { TokenEvent } from '@quern/engine';
import { cancelled, type GenerationEvent, type GenerationTask, generate } from '../generate/generation.ts';
import { interleave } from '../generate/interleave.ts';
import { timingsOf } from '../generate/timings.ts';
import type { ServedModel } from '../models/served-model.ts';
import { type CompletionRequest, probabilitiesOf, settingsOf } from './completion-fields.ts';
import { tokenProbabilities } from './token-probabilities.ts';

type End = Extract<GenerationEvent, { type: 'end' }>;

/** The engine gives places, and does not tell which. */
const noSlot = -1;

export async function wholeCompletion(tasks: readonly GenerationTask[], request: CompletionRequest): Promise<unknown> {
  const answers = await Promise.all(tasks.map((task, index) => wholeReply(task, index, request)));
  return answers.length === 1 ? answers[0] : answers;
}

async function wholeReply(task: GenerationTask, index: number, request: CompletionRequest): Promise<object> {
  let content = '';
  const tokens: TokenEvent[] = [];
  for await (const event of generate(task)) {
    if (event.type === 'text') {
      content += event.text;
      tokens.push(...event.tokens);
      continue;
    }
    const answer = {
      ...{ index, content, tokens: request.return_tokens ? tokens.map(({ token }) => token) : [] },
      ...ending(task, event, request, content.includes('\n'), index),
      ...probabilities(task.model, tokens, request),
    };
    return request.response_fields?.length ? chosenFields(answer, request.response_fields) : answer;
  }
  throw cancelled();
}

export async function* completionChunks(
  tasks: readonly GenerationTask[],
  request: CompletionRequest,
): AsyncGenerator<unknown> {
  const hasLine = tasks.map(() => false);
  for await (const { index, value: event } of interleave(tasks.map(generate))) {
    const task = tasks[index]!;
    if (event.type === 'end') {
      const last = { index, content: '', tokens: [], ...ending(task, event, request, hasLine[index]!, index) };
      yield request.response_fields?.length ? chosenFields(last, request.response_fields) : last;
      continue;
    }
    hasLine[index] ||= event.text.includes('\n');
    const { promptTokens, completionTokens } = event.cost;
    yield {
      ...{ index, content: event.text, tokens: event.tokens.map(({ token }) => token), stop: false, id_slot: noSlot },
      ...{ tokens_predicted: completionTokens, tokens_evaluated: promptTokens },
      ...(request.timings_per_token && { timings: timingsOf(event.cost) }),
      ...probabilities(task.model, event.tokens, request),
    };
  }
}

/** Characters of settings that each of several replies repeats; longer ones (of a grammar, a bias) stand in the first. */
const repeatedSettings = 65_536;

const areRepeated = new WeakMap<CompletionRequest, boolean>();

function settingsToTell(request: CompletionRequest, index: number): object | undefined {
  const settings = settingsOf(request);
  if (index === 0) return settings;
  const repeats = areRepeated.get(request) ?? JSON.stringify(settings).length <= repeatedSettings;
  areRepeated.set(request, repeats);
  return repeats ? settings : undefined;
}

function ending(
  { model, prompt }: GenerationTask,
  end: End,
  request: CompletionRequest,
  hasLine: boolean,
  index: number,
): object {
  const { cost, stopText } = end;
  return {
    ...{ id_slot: noSlot, stop: true, model: model.id },
    ...{ tokens_predicted: cost.completionTokens, tokens_evaluated: cost.promptTokens },
    ...{
      generation_settings: settingsToTell(request, index),
      prompt: model.tokenizer.decode(prompt, { special: true }),
    },
    ...{ has_new_line: hasLine, truncated: false },
    stop_type: end.finishReason === 'length' ? 'limit' : stopText === undefined ? 'eos' : 'word',
    ...{ stopping_word: stopText ?? '', tokens_cached: cost.cachedTokens, timings: timingsOf(cost) },
  };
}

const probabilities = (model: ServedModel, tokens: readonly TokenEvent[], request: CompletionRequest): object =>
  probabilitiesOf(request) === undefined || tokens.length === 0
    ? {}
    : {
        completion_probabilities: tokenProbabilities(model.tokenizer, tokens, request.post_sampling_probs ?? false),
      };

/** Nested ones come to the top, under their whole path; those that are not there are left out. */
function chosenFields(answer: object, paths: readonly string[]): object {
  const found = paths.flatMap((path) => {
    let value: unknown = answer;
    for (const name of path.split('/'))
      value =
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined;
    return value === undefined ? [] : [[path, value]];
  });
  return Object.fromEntries(found);
}
