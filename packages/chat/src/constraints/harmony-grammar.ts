// A call of gpt-oss as it is forced: the recipient stands in front of the channel, as the template writes it, or behind it, as
// models mostly do, with or without the mark that says what the arguments are.
import type { GrammarSource } from '@quern/grammar';
import type { ToolDefinition } from '../format.ts';
import { argumentsSource } from './call-grammar.ts';
import { markSource, oneOf, sequence, space, text } from './marks.ts';

const channel = sequence(markSource('<|channel|>'), oneOf([text('commentary'), text('analysis')]));
const kind = oneOf([markSource(' json'), markSource(' <|constrain|>json'), sequence()]);

export function harmonyCall(tool: ToolDefinition): GrammarSource {
  const recipient = text(` to=functions.${tool.function.name}`);
  return sequence(
    oneOf([sequence(recipient, channel), sequence(channel, recipient)]),
    kind,
    markSource('<|message|>'),
    argumentsSource(tool),
    space,
    markSource('<|call|>'),
  );
}
