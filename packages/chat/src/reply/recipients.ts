// Replies that are messages with headers, each for somebody: the user, a tool, or the model itself (reasoning). The prompt ends
// where a header begins: `>>>` in functionary 3.2, behind which comes `all\nHello>>>get_weather\n{"city": "Paris"}`.
import type { RecipientsFormat, ToolDefinition } from '../format.ts';
import type { CallContext } from './call-context.ts';
import { textParameter } from './code-call.ts';
import type { EventList } from './events.ts';
import type { Input, Reading } from './input.ts';
import { Marks } from './marks.ts';
import { readParametersCall } from './parameters-call.ts';
import { jsonCharacters } from './text-value.ts';
import { readValue, type Sink } from './value.ts';

const maxName = 256;

export function* readRecipients(
  format: RecipientsFormat,
  input: Input,
  events: EventList,
  context: CallContext,
  reasoningOpen: boolean,
): Reading {
  const marks = new Marks([format.begin, format.end, format.lastEnd].map((mark) => mark.trim()));
  events.beginText(true);
  if (reasoningOpen) yield* readText('reasoning');
  for (;;) {
    input.mark();
    const to = yield* readHeader();
    if (to === undefined) {
      context.giveBack();
      yield* readText('content');
    } else if (to === format.content || to === format.reasoning) {
      input.unmark();
      events.beginText();
      yield* readText(to === format.content ? 'content' : 'reasoning');
    } else {
      const whole = yield* readArguments(context.tool(to)!);
      if (whole) input.unmark();
      else context.giveBack();
      if (!whole) yield* readText('content');
    }
    for (;;) {
      yield* input.skipSpace();
      if ((yield* input.accept([format.end.trim(), format.lastEnd.trim()])) === undefined) break;
    }
    if ((yield* input.peek()) === undefined) return events.end('content');
  }

  /** @returns who the message is for; undefined where that is nobody who is known */
  function* readHeader(): Reading<string | undefined> {
    yield* input.skipSpace();
    yield* input.accept([format.begin.trim()]);
    if (!(yield* input.expect(format.beforeName))) return undefined;
    const end = format.afterName[0]!;
    const name = yield* input.until((character) => character === end, maxName);
    if (name === undefined || !(yield* input.expect(format.afterName))) return undefined;
    const isTool = context.mayCall && context.tool(name) !== undefined;
    return isTool || name === format.content || name === format.reasoning ? name : undefined;
  }

  function* readArguments(tool: ToolDefinition): Reading<boolean> {
    const { inner } = format;
    yield* input.skipSpace();
    if (inner) {
      if (!(yield* input.expect(inner.open)) || inner.body.kind !== 'parameters') return false;
      if (!(yield* readParametersCall(context, inner.body, inner))) return false;
      for (const piece of inner.close.split(/\s+/)) {
        yield* input.skipSpace();
        yield* input.accept([piece]);
      }
      return true;
    }
    if ((yield* input.peek()) === '{') return yield* readValue(input, context.announce(tool.function.name));
    const parameter = textParameter(tool);
    return parameter === undefined ? false : yield* readCode(context.announce(tool.function.name), parameter);
  }

  /** Code stands as it is: it is the one text that the tool takes. */
  function* readCode(sink: Sink, parameter: string): Reading<boolean> {
    sink(`{${JSON.stringify(parameter)}: "`);
    yield* readUpToMark((text) => sink(jsonCharacters(text)));
    sink('"}');
    return true;
  }

  function* readText(type: 'reasoning' | 'content'): Reading {
    events.inReasoning = type === 'reasoning';
    yield* readUpToMark((text) => events.text(type, text));
    events.inReasoning = false;
  }

  function* readUpToMark(tell: (text: string) => void): Reading {
    for (;;) {
      const text = input.ready;
      const found = marks.find(text, input.ended);
      tell(input.take(found?.at ?? (input.ended ? text.length : marks.before(text))));
      if (found || input.ended) return;
      yield;
    }
  }
}
