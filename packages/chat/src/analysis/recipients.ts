// Whether a template writes messages with headers that say who each is for: the header of a call then differs from that of an
// answer in one word alone, the name of the tool in place of that of the user.
import type { CallFormat, MessageShape, RecipientsFormat } from '../format.ts';
import type { CallProbes } from './call-probes.ts';
import { parametersBody } from './parameters.ts';
import { type Probe, words } from './probe.ts';
import { reasoningMessage } from './reasoning.ts';
import { commonSuffix, findJson } from './text-parts.ts';

export function findRecipients(
  probe: Probe,
  probes: CallProbes,
  shape: Pick<MessageShape, 'reasoning'>,
): RecipientsFormat | undefined {
  const { one, two } = probes.rendered;
  const prompt = probe.render([], { prompt: true });
  const answer = probe.render([{ role: 'assistant', content: words.answer }]);
  if (prompt === undefined || two === undefined || !answer?.startsWith(prompt) || !one.startsWith(prompt))
    return undefined;
  const call = one.slice(prompt.length);
  const nameAt = call.indexOf(words.tool);
  const beforeName = call.slice(0, nameAt);
  const addressed = (text: string, said: string) => addressee(text.slice(prompt.length), beforeName, said);
  const user = addressed(answer, words.answer);
  if (nameAt < 0 || user === undefined) return undefined;
  const header = beforeName.length + words.tool.length + user.afterName.length;
  if (!call.startsWith(words.tool + user.afterName, nameAt)) return undefined;
  const behind = answer.slice(answer.lastIndexOf(words.answer) + words.answer.length);
  const body = call.slice(header, call.length - behind.length);
  const between = two.slice(prompt.length + header + body.length, two.indexOf(words.otherTool, prompt.length + header));
  if (!one.endsWith(behind) || !between.endsWith(beforeName) || between.includes(words.otherTool)) return undefined;
  const front = between.slice(0, between.length - beforeName.length);
  const begin = commonSuffix(prompt, front).trimStart();
  const inner = innerCalls(probes, body);
  if (begin === '' || inner === 'unknown') return undefined;
  const thought = probe.render([reasoningMessage({ role: 'assistant', content: words.answer }, shape.reasoning)]);
  const self = thought?.startsWith(prompt) ? addressed(thought, words.reasoning) : undefined;
  return {
    begin,
    beforeName,
    afterName: user.afterName,
    content: user.name,
    ...(self && self.afterName === user.afterName && { reasoning: self.name }),
    end: front.slice(0, front.length - begin.length).trim(),
    lastEnd: behind.trim(),
    ...(inner && { inner }),
  };
}

/** Who a message is for that says `said`, and what stands between. */
function addressee(text: string, beforeName: string, said: string): { name: string; afterName: string } | undefined {
  const name = text.startsWith(beforeName) ? /^[\w.-]+/.exec(text.slice(beforeName.length))?.[0] : undefined;
  if (name === undefined || name.includes(said)) return undefined;
  const rest = text.slice(beforeName.length + name.length);
  const end = rest.indexOf(said);
  return end > 0 ? { name, afterName: rest.slice(0, end) } : undefined;
}

/** The call as it stands behind its header; undefined where that is its arguments alone. */
function innerCalls(probes: CallProbes, body: string): CallFormat | undefined | 'unknown' {
  const json = findJson(body, words.value, 0, body.indexOf(words.value));
  if (json?.start === 0 && json.end === body.trimEnd().length) return undefined;
  return body.includes(words.tool)
    ? (parametersBody({ ...probes, one: body, two: undefined }) ?? 'unknown')
    : 'unknown';
}

/** The same as a format of calls, for those who ask how a call is written. */
export function recipientCalls({ inner, begin, beforeName, afterName, end }: RecipientsFormat): CallFormat {
  const section = { open: '', close: '' };
  if (inner) return { ...inner, section, several: true };
  return {
    section,
    open: begin + beforeName,
    close: end,
    separator: '',
    several: true,
    body: { kind: 'named', beforeName: [''], afterName: [afterName], notation: { bareKeys: false } },
  };
}
