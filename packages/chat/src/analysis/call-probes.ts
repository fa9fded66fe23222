// The renderings that show how a template writes calls: one of them, and two in one message.
import type { MessageShape } from '../format.ts';
import { type Probe, words } from './probe.ts';
import { commonPrefix, commonSuffix } from './text-parts.ts';

export interface CallProbes {
  /** What is written for a message with one call, without what is around any message. */
  readonly one: string;
  /** The same for two; undefined where the template cannot say two. */
  readonly two: string | undefined;
  /** Both as they were rendered. */
  readonly rendered: { readonly one: string; readonly two: string | undefined };
  /** How it writes true. */
  readonly spelling: 'json' | 'python';
  readonly shape: Pick<MessageShape, 'arguments' | 'noContent' | 'shortIds'>;
}

const call = (name: string, id: string, values: object, shape: CallProbes['shape']) => ({
  id,
  type: 'function',
  function: { name, arguments: shape.arguments === 'text' ? JSON.stringify(values) : values },
});

/** As servers of OpenAI's API make them. */
const longId = 'call_0123456789abcdef01234567';

/** Objects are what transformers' templates are written for. */
const shapes: CallProbes['shape'][] = [
  { arguments: 'object', noContent: '' },
  { arguments: 'object', noContent: null },
  { arguments: 'text', noContent: '' },
  { arguments: 'text', noContent: null },
];

/** Undefined when no shape makes the template write a call. */
export function probeCalls(probe: Probe): CallProbes | undefined {
  const answer = probe.render([{ role: 'assistant', content: words.answer }]);
  if (answer === undefined) return undefined;
  for (const shape of shapes) {
    const first = call(words.tool, words.id, { [words.key]: words.value, [words.otherKey]: words.otherValue }, shape);
    const second = call(words.otherTool, words.otherId, { [words.key]: words.lastValue }, shape);
    const render = (calls: unknown[]) =>
      probe.render([{ role: 'assistant', content: shape.noContent, tool_calls: calls }]);
    const [renderedOne, renderedTwo] = [render([first]), render([first, second])];
    const one = messageText(renderedOne, answer);
    if (one === undefined || !writesCall(one)) continue;
    const two = messageText(renderedTwo, answer);
    const saysTwo = two?.includes(words.otherTool) && two.includes(words.lastValue) && two.includes(words.tool);
    const yes = call(words.tool, words.id, { [words.key]: words.value, [words.otherKey]: true }, shape);
    const spelling = messageText(render([yes]), answer)?.includes('True') ? 'python' : 'json';
    const refusesIds = render([{ ...first, id: longId }]) === undefined;
    return {
      ...{ one, two: saysTwo ? two : undefined, spelling },
      rendered: { one: renderedOne!, two: saysTwo ? renderedTwo : undefined },
      shape: { ...shape, ...(refusesIds && { shortIds: true }) },
    };
  }
  return undefined;
}

/** Values in Python's quotation marks come from arguments that the template expects as text. */
const writesCall = (text: string): boolean =>
  text.includes(words.tool) && text.includes(words.value) && !text.includes(`'${words.key}'`);

/** What `rendered` says where another rendering says the answer. */
function messageText(rendered: string | undefined, answer: string): string | undefined {
  if (rendered === undefined) return undefined;
  const start = commonPrefix(rendered, answer).length;
  const behind = answer.slice(answer.lastIndexOf(words.answer) + words.answer.length);
  const rest = rendered.slice(start);
  return rest.slice(0, rest.length - commonSuffix(rest, behind).length);
}
