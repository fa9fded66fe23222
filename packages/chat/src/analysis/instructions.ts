// Where a template writes instructions. Many read a system prompt from the first message alone: a later one is lost without a
// word, or refused; some have no place for any.
import type { ChatMessage } from '@quern/tokenizer';
import type { InstructionPlace } from '../format.ts';
import { type Probe, words } from './probe.ts';

const instruction: ChatMessage = { role: 'system', content: words.otherInstruction };
const answer: ChatMessage = { role: 'assistant', content: words.answer };

/** Behind a question, and in front of one. */
const later: readonly (readonly ChatMessage[])[] = [
  [instruction],
  [answer, instruction, { role: 'user', content: words.lastValue }],
];

export function findInstructionPlace(probe: Probe): InstructionPlace {
  // A template that refuses everything says nothing of instructions.
  if (probe.render([], { tools: false }) === undefined) return 'anywhere';
  if (!areWritten(probe, [], [words.instruction])) return 'nowhere';
  // Some keep the last one alone.
  const both = [words.instruction, words.otherInstruction];
  return later.every((messages) => areWritten(probe, messages, both)) ? 'anywhere' : 'first';
}

/** Behind a system prompt; with tools as without them, where the template has tools. */
const areWritten = (probe: Probe, messages: readonly ChatMessage[], instructions: readonly string[]): boolean =>
  [false, ...(probe.render([]) === undefined ? [] : [true])].every((tools) => {
    const text = probe.render(messages, { tools, system: words.instruction });
    return instructions.every((word) => text?.includes(word));
  });
