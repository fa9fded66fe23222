// The renderings that show how a template writes calls: one of them, and two in one message.
import type { MessageShape } from '../format.ts';
import { cdataOpen } from '../format.ts';
import { type Probe, words } from './probe.ts';
import { allTags, commonPrefix, commonSuffix } from './text-parts.ts';

export interface CallProbes {
  /** What is written for a message with one call, without what is around any message. */
  readonly one: string;
  /** The same for two; undefined where the template cannot say two. */
  readonly two: string | undefined;
  /** The same for one call behind a text. */
  readonly behindText: string | undefined;
  /** Both as they were rendered. */
  readonly rendered: { readonly one: string; readonly two: string | undefined };
  /** It knows of sections in which marks are text. */
  readonly cdata?: true;
  /** How it writes true. */
  readonly spelling: 'json' | 'python';
  readonly shape: Pick<MessageShape, 'arguments' | 'noContent' | 'ids'>;
}

const call = (name: string, id: string, values: object, shape: CallProbes['shape']) => ({
  id,
  type: 'function',
  function: { name, arguments: shape.arguments === 'text' ? JSON.stringify(values) : values },
});

/** Kimi's templates write nothing of a call but its id and its arguments. */
const namedIds = [`functions.${words.tool}:0`, `functions.${words.otherTool}:1`] as const;

/** As servers of OpenAI's API make them. */
const longId = 'call_0123456789abcdef01234567';

/** Objects are what transformers' templates are written for. */
const shapes: CallProbes['shape'][] = [
  { arguments: 'object', noContent: '' },
  { arguments: 'object', noContent: null },
  { arguments: 'text', noContent: '' },
  { arguments: 'text', noContent: null },
  { arguments: 'object', noContent: '', ids: 'named' },
  { arguments: 'text', noContent: '', ids: 'named' },
];

/** Undefined when no shape makes the template write a call. */
export function probeCalls(probe: Probe): CallProbes | undefined {
  const answer = probe.render([{ role: 'assistant', content: words.answer }]);
  if (answer === undefined) return undefined;
  const prompt = probe.render([], { prompt: true });
  const messageText = (rendered: string | undefined) => textOfMessage(rendered, answer, prompt);
  for (const shape of shapes) {
    const [id, otherId] = shape.ids === 'named' ? namedIds : [words.id, words.otherId];
    const first = call(words.tool, id, { [words.key]: words.value, [words.otherKey]: words.otherValue }, shape);
    const second = call(words.otherTool, otherId, { [words.key]: words.lastValue }, shape);
    const render = (calls: unknown[], content: string | null = shape.noContent) =>
      probe.render([{ role: 'assistant', content, tool_calls: calls }]);
    const [renderedOne, renderedTwo] = [render([first]), render([first, second])];
    const one = messageText(renderedOne);
    if (one === undefined || !writesCall(one)) continue;
    // An empty answer in front of the calls, which none at all may leave out.
    const alone = shape.noContent === '' ? messageText(render([first], null)) : undefined;
    if (alone !== undefined && writesCall(alone) && allTags(alone).length < allTags(one).length) continue;
    const two = messageText(renderedTwo);
    const saysTwo = two?.includes(words.otherTool) && two.includes(words.lastValue) && two.includes(words.tool);
    const yes = call(words.tool, id, { [words.key]: words.value, [words.otherKey]: true }, shape);
    const spelling = messageText(render([yes]))?.includes('True') ? 'python' : 'json';
    const refusesIds = !shape.ids && render([{ ...first, id: longId }]) === undefined;
    return {
      ...{ one, two: saysTwo ? two : undefined, spelling },
      ...(probe.template.includes(cdataOpen) && { cdata: true }),
      behindText: messageText(render([first], words.answer)),
      rendered: { one: renderedOne!, two: saysTwo ? renderedTwo : undefined },
      shape: { ...shape, ...(refusesIds && { ids: 'short' }) },
    };
  }
  return undefined;
}

/** Values in Python's quotation marks, or quotation marks as HTML, come from arguments that the template expects as text. */
const writesCall = (text: string): boolean =>
  text.includes(words.tool) &&
  text.includes(words.value) &&
  !text.includes(`'${words.key}'`) &&
  !text.includes('&#34;');

/** What `rendered` says where another rendering says the answer, or behind the prompt. */
function textOfMessage(rendered: string | undefined, answer: string, prompt: string | undefined): string | undefined {
  if (rendered === undefined) return undefined;
  const opened = prompt !== undefined && rendered.startsWith(prompt) ? prompt.length : 0;
  const start = Math.max(commonPrefix(rendered, answer).length, opened);
  const behind = answer.slice(answer.lastIndexOf(words.answer) + words.answer.length);
  const rest = rendered.slice(start);
  return rest.slice(0, rest.length - commonSuffix(rest, behind).length);
}
