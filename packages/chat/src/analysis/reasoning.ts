// What opens and closes reasoning, and what stands around an answer, from renderings with and without reasoning.
import type { ChatFormat, MessageShape, ReasoningFormat } from '../format.ts';
import type { CallProbes } from './call-probes.ts';
import { type Probe, probeTools, reasoningNames, words } from './probe.ts';
import { allTags, between, commonPrefix, endOf, firstTag, lastTagStart, onlyTags } from './text-parts.ts';

export interface ReasoningFound {
  readonly reasoning?: ReasoningFormat;
  readonly field: string;
  /** What stands between the reasoning and an answer. */
  readonly toAnswer?: string;
}

/** Where templates look for the reasoning of earlier messages. `content` is a list with a part for it. */
const fields: readonly string[] = ['reasoning_content', 'reasoning', 'thinking', 'thought', 'tool_plan'];

/** Templates differ in when they show it: behind the last question, only with calls, only when thinking is on. */
export function findReasoning(probe: Probe, shape: Pick<MessageShape, 'arguments' | 'noContent'>): ReasoningFound {
  const values = { [words.key]: words.value };
  const args = shape.arguments === 'text' ? JSON.stringify(values) : values;
  const calls = [{ id: words.id, type: 'function', function: { name: probeTools[0]!.function.name, arguments: args } }];
  const on = { enable_thinking: true, thinking: true, keep_past_thinking: true, preserve_thinking: true };
  const others = reasoningNames(probe.template, fields);
  for (const extra of [{}, on]) {
    for (const more of [{}, { tool_calls: calls }]) {
      for (const field of [...fields.filter((name) => probe.template.includes(name)), 'content', ...others]) {
        const plain = { role: 'assistant', content: words.answer, ...more };
        const text = probe.render([reasoningMessage(plain, field)], { extra });
        // A template that does not know such parts prints the list.
        if (!text?.includes(words.reasoning) || text.includes("'thinking'") || text.includes('"thinking"')) continue;
        const reasoning = marksAround(text, probe.render([plain], { extra }) ?? '', openingPrompt(probe, extra));
        const toAnswer = between(text, words.reasoning, words.answer);
        if (reasoning) return { reasoning, field, ...(toAnswer !== undefined && { toAnswer }) };
      }
    }
  }
  return { reasoning: droppedMarks(probe) ?? conventional(probe), field: 'reasoning_content' };
}

export function reasoningMessage(message: { role: string; content: string }, field: string) {
  if (field !== 'content') return { ...message, [field]: words.reasoning };
  const parts = [
    { type: 'thinking', thinking: words.reasoning },
    { type: 'text', text: message.content },
  ];
  return { ...message, content: parts };
}

/** What the prompt says beyond the messages. */
function openingPrompt(probe: Probe, extra: Record<string, unknown>): string {
  const without = probe.render([], { extra });
  const prompt = probe.render([], { extra, prompt: true });
  return without === undefined || prompt === undefined ? '' : prompt.slice(commonPrefix(prompt, without).length);
}

function marksAround(text: string, plain: string, prompt: string): ReasoningFormat | undefined {
  const at = text.indexOf(words.reasoning);
  const before = text.slice(0, at);
  const same = commonPrefix(text, plain).length;
  // A template that writes marks around no reasoning too has them in both.
  const own = before.slice(Math.min(same, before.length));
  const behind = text.slice(at + words.reasoning.length);
  const tag = firstTag(behind);
  if (!tag) return undefined;
  // It may write a thought that is empty.
  const empty = plain.slice(same).trimStart().startsWith(tag) ? before.slice(lastTagStart(before)) : '';
  const open = [own, empty].find(firstTag) ?? tagAtEnd(before, tag) ?? lastLine(prompt);
  if (!open || open.includes(tag)) return undefined;
  const close = behind.slice(0, behind.indexOf(tag) + tag.length).trim();
  return { open: open.trim(), close };
}

/** A tag that `close` is the end of, or that names reasoning: not one that every message begins with. */
function tagAtEnd(text: string, close: string): string | undefined {
  const start = lastTagStart(text);
  const tag = start === undefined ? '' : text.slice(start).trimEnd();
  if (tag === '' || firstTag(tag) !== tag) return undefined;
  return close === endOf(tag) || /think|thought|reason|analysis|\bcot\b/i.test(tag) ? tag : undefined;
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

const mostTags = 60;

/** A template that drops earlier reasoning drops what an earlier answer says in front of the tag that closes it. */
function droppedMarks(probe: Probe): ReasoningFormat | undefined {
  const tags = [...new Set(allTags(probe.template))].slice(0, mostTags);
  const question = { role: 'user', content: words.question };
  const close = tags.find((tag) => {
    const said = { role: 'assistant', content: words.reasoning + tag + words.answer };
    const text = probe.render([said, question]) ?? '';
    return text.includes(words.answer) && !text.includes(words.reasoning);
  });
  if (close === undefined) return undefined;
  const begun = ['begin', 'start', 'open'].map((word) => close.replace(/end|close|stop|finish/i, word));
  const open = close.includes('/') ? close.replace('/', '') : begun.find((one) => one !== close && tags.includes(one));
  return open === undefined ? undefined : { open, close };
}

/** `<think>` in a template that drops earlier reasoning, or opens it and leaves the rest to the model. */
function conventional({ template }: Probe): ReasoningFormat | undefined {
  const close = /<\/[\w:]*think\w*>|\[\/THINK\]/.exec(template);
  if (!close) return undefined;
  return { open: close[0].replace('/', ''), close: close[0] };
}

/** What an empty text leaves in front of a call, and other texts stand in. */
export function textMarks({ one, behindText }: CallProbes): ChatFormat['content'] {
  const at = behindText?.indexOf(words.answer) ?? -1;
  const close = firstTag(behindText?.slice(at + words.answer.length) ?? '');
  if (at < 0 || close === undefined) return undefined;
  const open = behindText!.slice(0, at).trim();
  const empty = one.replace(/\s/g, '').startsWith(open + close);
  return empty && open !== '' && onlyTags(open) ? { open, close, beforeCalls: true } : undefined;
}

/** What stands around an answer that has no reasoning. */
export function findContentMarks(probe: Probe, reasoning: ReasoningFormat | undefined): ChatFormat['content'] {
  const text = probe.render([{ role: 'assistant', content: words.answer }]);
  const prompt = probe.render([], { prompt: true });
  if (text === undefined || prompt === undefined) return undefined;
  const at = text.lastIndexOf(words.answer);
  const before = text.slice(0, at);
  let own = before.slice(Math.min(commonPrefix(text, prompt).length, at));
  for (const mark of reasoning ? [reasoning.open, reasoning.close] : []) own = own.replace(mark, '');
  const open = own.trim();
  // The prompt ends with what opens any message of the model's.
  if (open === '' || !onlyTags(open) || prompt.trimEnd().endsWith(open)) return undefined;
  return { open, close: firstTag(text.slice(at + words.answer.length)) ?? '' };
}
