// Takes a reply apart: reasoning, content, calls. Total: whatever was generated comes out, as one of them.
import { type CallFormat, type ChatFormat, isBare, type ToolDefinition } from '../format.ts';
import { CallContext } from './call-context.ts';
import { readCodeCall } from './code-call.ts';
import { EventList, type ReplyEvent } from './events.ts';
import { readHarmony } from './harmony.ts';
import { Input, type Reading } from './input.ts';
import { readJsonCalls } from './json-call.ts';
import { Marks } from './marks.ts';
import { readNamedCall, readPythonCalls } from './named-call.ts';
import { bareOpenings, endOfParameters, type Opening, openingsOf, piecesOf } from './openings.ts';
import { readParametersCall } from './parameters-call.ts';
import { readRecipients } from './recipients.ts';

export interface ReplyOptions {
  /** Only calls of these are calls. */
  readonly tools?: readonly ToolDefinition[];
  /** The prompt ends inside the reasoning. */
  readonly reasoningOpen: boolean;
  /** Whether more than one call may come. Default true. */
  readonly parallel?: boolean;
}

export interface ReplyReader {
  /** What the text says so far. Pieces of any size come to the same in the end. */
  push(text: string): ReplyEvent[];
  /** What was held back. */
  end(): ReplyEvent[];
  /** Whether the text so far ends inside the reasoning. */
  readonly inReasoning: boolean;
}

export function createReplyReader(format: ChatFormat, options: ReplyOptions): ReplyReader {
  const input = new Input();
  const events = new EventList();
  const context = new CallContext(input, events, options.tools ?? [], options.parallel ?? true);
  const reading = readingOf(format, input, events, context, options.reasoningOpen);
  const run = (): ReplyEvent[] => {
    reading.next();
    return events.take();
  };
  events.inReasoning = options.reasoningOpen;
  return {
    get inReasoning() {
      return events.inReasoning;
    },
    push(text) {
      input.feed(text);
      return run();
    },
    end() {
      input.end();
      return run();
    },
  };
}

function readingOf(
  format: ChatFormat,
  input: Input,
  events: EventList,
  context: CallContext,
  reasoningOpen: boolean,
): Reading {
  if (format.channels === 'harmony') return readHarmony(input, events, context);
  if (format.recipients) return readRecipients(format.recipients, input, events, context, reasoningOpen);
  return new Reply(input, events, context, format).read(reasoningOpen);
}

class Reply {
  readonly #input: Input;
  readonly #events: EventList;
  readonly #context: CallContext;
  readonly #format: ChatFormat;
  readonly #openings: readonly Opening[];
  /** What calls begin with that have no marks. */
  readonly #bare: readonly string[];
  /** Behind calls, they say nothing more. */
  readonly #closings: readonly string[];

  constructor(input: Input, events: EventList, context: CallContext, format: ChatFormat) {
    this.#input = input;
    this.#events = events;
    this.#context = context;
    this.#format = format;
    const calls = context.mayCall ? format.calls : undefined;
    this.#openings = calls ? openingsOf(calls) : [];
    this.#bare = calls && isBare(calls) ? bareOpenings(calls) : [];
    this.#closings = calls
      ? [...piecesOf(calls.close), ...piecesOf(calls.section.close), ...(calls.otherCloses ?? [])]
      : [];
  }

  *read(reasoningOpen: boolean): Reading {
    const { reasoning, content } = this.#format;
    const input = this.#input;
    const marks = new Marks([
      ...this.#openings.map(({ mark }) => mark),
      ...this.#bare,
      ...this.#closings,
      ...(reasoning ? [reasoning.open.trim(), reasoning.close.trim()] : []),
      ...(content ? [content.open, content.close] : []),
    ]);
    this.#events.beginText(true);
    if (reasoningOpen) yield* this.#readReasoning();
    for (;;) {
      const text = input.ready;
      const found = marks.find(text, input.ended);
      this.#events.text('content', input.take(found?.at ?? (input.ended ? text.length : marks.before(text))));
      if (found) yield* this.#readMark(found.mark);
      else if (input.ended) return this.#events.end('content');
      else yield;
    }
  }

  *#readMark(mark: string): Reading {
    const { reasoning, content, calls } = this.#format;
    const input = this.#input;
    const opening = this.#openings.find((one) => one.mark === mark);
    if (opening && this.#context.mayCall) return yield* this.#readOpening(opening, calls!);
    if (this.#bare.includes(mark) && this.#context.mayCall) {
      input.mark();
      return yield* this.#readCalls(calls!);
    }
    input.skip(mark.length);
    const inFront = !this.#events.hasText;
    if (inFront && mark === reasoning?.open.trim()) return yield* this.#readReasoning();
    const silent =
      (inFront && mark === reasoning?.close.trim()) ||
      (inFront && this.#events.calls > 0 && this.#closings.includes(mark)) ||
      mark === content?.open ||
      mark === content?.close;
    if (!silent) this.#events.text('content', mark);
    // Behind a text that has an end of its own, calls may follow that have no mark.
    else if (inFront || (content?.beforeCalls && mark === content.close)) this.#events.beginText();
  }

  *#readReasoning(): Reading {
    const { open, close } = this.#format.reasoning!;
    const input = this.#input;
    const marks = new Marks([close.trim()]);
    this.#events.beginText();
    this.#events.inReasoning = true;
    yield* input.skipSpace();
    yield* input.accept([open.trim()]);
    for (;;) {
      const text = input.ready;
      const found = marks.find(text, input.ended);
      this.#events.text('reasoning', input.take(found?.at ?? (input.ended ? text.length : marks.before(text))));
      if (found || input.ended) {
        input.skip(found?.mark.length ?? 0);
        this.#events.inReasoning = false;
        return this.#events.beginText();
      }
      yield;
    }
  }

  *#readOpening(opening: Opening, calls: CallFormat): Reading {
    const input = this.#input;
    input.mark();
    input.skip(opening.mark.length);
    let opened = yield* input.expect(opening.rest);
    if (opened && opening.section && calls.open) {
      yield* input.skipSpace();
      opened = yield* input.expect(calls.open.trim());
    }
    if (opened && opening.mark === calls.codeOpen && !(yield* this.#jsonBegins())) {
      if (yield* readCodeCall(this.#context)) return input.unmark();
      return this.#context.giveBack();
    }
    if (opened) yield* this.#readCalls(calls);
    else this.#context.giveBack();
  }

  *#jsonBegins(): Reading<boolean> {
    yield* this.#input.skipSpace();
    const next = yield* this.#input.peek();
    return next === '{' || next === '[';
  }

  /** Behind what opens them. */
  *#readCalls(calls: CallFormat): Reading {
    const input = this.#input;
    const { body, close, separator } = calls;
    // Llama models part calls without marks by semicolons.
    const between = isBare(calls) ? [separator.trim(), ';'] : [separator.trim()];
    // Of parameters the first tag is read by their reader: it is what ends them.
    const first = body.kind === 'parameters' ? endOfParameters(body, close) : '';
    const pieces = close.slice(first.length).split(/\s+/);
    for (;;) {
      if (!(yield* this.#readBody(calls))) return this.#context.giveBack();
      input.unmark();
      for (const piece of [...pieces, ...between]) {
        yield* input.skipSpace();
        yield* input.accept([piece]);
      }
      // Calls without marks of their own follow each other inside the section.
      if (calls.open.trim() !== '' || !this.#context.mayCall) return;
      yield* input.skipSpace();
      const next = body.kind === 'json' ? ['{'] : this.#context.names;
      if ((yield* input.sees(next)) === undefined) return;
      input.mark();
    }
  }

  /** @returns whether all of it could be read */
  *#readBody(calls: CallFormat): Reading<boolean> {
    const { body } = calls;
    switch (body.kind) {
      case 'json':
        // Models that write calls without marks write Python as well (Llama 3.2 and 4).
        if (isBare(calls) && (yield* this.#input.sees(this.#context.names.map((name) => `[${name}(`))))
          return yield* readPythonCalls(this.#context, { kind: 'python', list: true });
        return yield* readJsonCalls(this.#context, body);
      case 'named':
        return yield* readNamedCall(this.#context, body);
      case 'python':
        return yield* readPythonCalls(this.#context, body);
      case 'parameters':
        return yield* readParametersCall(this.#context, body, calls);
    }
  }
}
