// What a chat template says of a model's format. A template is a program; it is not read but run, on small conversations, and
// what it writes for one and another is compared. So a model whose format is new needs no code.
import { type CallFormat, type ChatFormat, isBare, type MessageShape, type RecipientsFormat } from '../format.ts';
import { readsFunctions } from '../functions-variable.ts';
import { probeCalls } from './call-probes.ts';
import { callFormat } from './calls.ts';
import { findInstructionPlace } from './instructions.ts';
import { type KnownFormat, knownFormats } from './known-formats.ts';
import { Probe, probeTools, type Special, words } from './probe.ts';
import { findContentMarks, findReasoning, textMarks } from './reasoning.ts';
import { findRecipients, recipientCalls } from './recipients.ts';
import { endOf, firstTag } from './text-parts.ts';
import { findThinking } from './thinking.ts';

const noReasoning = 'The template writes no reasoning.';
const noSwitch = 'No variable of the template changes how it opens a reply.';

const defaultShape = { arguments: 'object', noContent: '' } as const;

/** Total: what cannot be seen is not there, and `unseen` says why. */
export function analyseTemplate(template: string, special: Special): ChatFormat {
  const probe = new Probe(template, special);
  const known = knownFormats.filter(({ mark }) => mark.test(template));
  const probes = probeCalls(probe);
  const shape: MessageShape = {
    ...(probes?.shape ?? defaultShape),
    reasoning: 'reasoning_content',
    toolRole: findToolRole(probe),
    ...(readsFunctions(template) && { toolsAsFunctions: true }),
    needsDescription: needsDescription(probe),
    instructions: findInstructionPlace(probe),
  };
  const better = known.find((row) => row.knowsBetter)?.format;
  const seen = findReasoning(probe, shape);
  const recipients = probes && !better ? findRecipients(probe, probes, { reasoning: seen.field }) : undefined;
  if (recipients) return withRecipients(probe, recipients, { ...shape, reasoning: seen.field });
  const marks = better?.reasoning ?? seen.reasoning ?? known.find((row) => row.format.reasoning)?.format.reasoning;
  const thinking = findThinking(probe, marks);
  const content = better?.channels
    ? undefined
    : (better?.content ?? findContentMarks(probe, marks) ?? (probes && textMarks(probes)));
  const reasoning = marks && { ...marks, close: closeBefore(content, seen.toAnswer) ?? marks.close };
  const written =
    better?.calls ?? (probes && callFormat(probes)) ?? known.find((row) => row.format.calls)?.format.calls;
  const calls = written && {
    ...written,
    section: {
      open: withoutMarks(written.section.open, reasoning, content),
      close: ownClose(written.section),
    },
    ...otherMarks(known, written),
  };
  return {
    ...(better?.channels && { channels: better.channels }),
    ...(reasoning && { reasoning }),
    ...(content && { content }),
    ...(calls && { calls }),
    ...(thinking && { thinking }),
    messages: { ...shape, reasoning: seen.field },
    unseen: {
      ...(!reasoning && { reasoning: noReasoning }),
      ...(!calls && { calls: probes ? 'Calls are written in a way that is not known.' : noCalls(probe) }),
      ...(!thinking && { thinking: noSwitch }),
    },
  };
}

function withRecipients(probe: Probe, recipients: RecipientsFormat, messages: MessageShape): ChatFormat {
  const { begin, beforeName, afterName, end, reasoning: self } = recipients;
  // What ends reasoning is the end of its message and what begins the next.
  const reasoning = self === undefined ? undefined : { open: beforeName + self + afterName, close: end + begin };
  const thinking = findThinking(probe, reasoning);
  return {
    recipients,
    calls: recipientCalls(recipients),
    ...(reasoning && { reasoning }),
    ...(thinking && { thinking }),
    messages,
    unseen: {
      ...(!reasoning && { reasoning: noReasoning }),
      ...(!thinking && { thinking: noSwitch }),
    },
  };
}

/** Where an answer has a mark of its own, all that stands before it ends the reasoning. */
function closeBefore(content: ChatFormat['content'], toAnswer: string | undefined): string | undefined {
  const text = toAnswer?.trim();
  return content && !content.beforeCalls && text?.endsWith(content.open)
    ? text.slice(0, text.length - content.open.length).trim()
    : undefined;
}

function otherMarks(
  known: readonly KnownFormat[],
  calls: CallFormat,
): Pick<CallFormat, 'otherOpens' | 'otherCloses' | 'codeOpen'> {
  const opens = known.flatMap((row) => row.otherOpens ?? []);
  const codeOpen = known.find((row) => row.codeOpen)?.codeOpen;
  return {
    ...(opens.length > 0 && { otherOpens: opens }),
    ...(codeOpen !== undefined && { codeOpen }),
    ...(isBare(calls) && { otherOpens: [...opens, ...usualOpens], otherCloses: usualCloses }),
  };
}

/** Where templates write calls without marks, models put those of other families around them now and then. */
const usualOpens = ['<tool_call>', '[TOOL_CALLS]', '<|python_start|>'];
const usualCloses = ['</tool_call>', '<|python_end|>'];

/** Behind the tag that closes the section's own, a template may write what ends the turn. */
function ownClose({ open, close }: CallFormat['section']): string {
  const opened = firstTag(open);
  const closing = opened === undefined ? '' : endOf(opened);
  return closing !== '' && close.startsWith(closing) ? closing : close;
}

/** Reasoning and content that are empty may stand before calls. */
function withoutMarks(open: string, reasoning: ChatFormat['reasoning'], content: ChatFormat['content']): string {
  const given = [reasoning?.open, reasoning?.close, content?.open, content?.close];
  const marks = given.filter((mark) => mark !== undefined && mark !== '') as string[];
  const before = marks.find((mark) => open.startsWith(mark));
  return before === undefined ? open : withoutMarks(open.slice(before.length).trim(), reasoning, content);
}

function noCalls(probe: Probe): string {
  return probe.refusal ?? 'The template writes no calls.';
}

function needsDescription(probe: Probe): boolean {
  const plain = probeTools.map(({ function: { description: _, ...rest } }) => ({
    type: 'function' as const,
    function: rest,
  }));
  return probe.render([]) !== undefined && probe.render([], { tools: plain }) === undefined;
}

/** Some templates drop `tool` and read `ipython`, or `function`; `tool` is the rule. */
function findToolRole(probe: Probe): string {
  const roles = ['tool', 'ipython', 'function', 'observation'];
  const shows = (role: string) => {
    const question = { role: 'assistant', content: words.answer };
    const result = { role, name: words.tool, tool_call_id: words.id, content: words.value };
    return probe.render([question, result])?.includes(words.value) ?? false;
  };
  return roles.find((role) => (role === 'tool' || probe.template.includes(role)) && shows(role)) ?? 'tool';
}
