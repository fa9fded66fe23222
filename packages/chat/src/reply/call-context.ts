// What the readers of calls share. A call is announced when its name is whole and that of a tool that was offered, and its
// arguments have begun. Nothing is lost where a reader stops: the mark of the input follows what has been told, so that what
// was read since (before the announcement: all of the call) is content as it stood. A reader only says that it has stopped.
import type { ToolDefinition } from '../format.ts';
import type { EventList } from './events.ts';
import type { Input, Reading } from './input.ts';

/** Longest text that is read before a call is announced. */
export const maxUnannounced = 1 << 14;

export class CallContext {
  readonly input: Input;
  readonly #events: EventList;
  readonly #tools: ReadonlyMap<string, ToolDefinition>;
  readonly #several: boolean;

  constructor(input: Input, events: EventList, tools: readonly ToolDefinition[], several: boolean) {
    this.input = input;
    this.#events = events;
    this.#tools = new Map(tools.map((tool) => [tool.function.name, tool]));
    this.#several = several;
  }

  /** Whether a call may begin here. */
  get mayCall(): boolean {
    return this.#tools.size > 0 && (this.#several || this.#events.calls === 0);
  }

  get names(): string[] {
    return [...this.#tools.keys()];
  }

  tool(name: string): ToolDefinition | undefined {
    return this.#tools.get(name);
  }

  /**
   * @param beside what stood in front of the arguments and is no part of a call
   * @returns where its arguments go
   */
  announce(name: string, beside: readonly string[] = []): (json: string) => void {
    this.tellBeside(beside);
    const index = this.#events.call(name);
    this.input.mark();
    return (json) => {
      this.#events.arguments(index, json);
      this.input.mark();
    };
  }

  /** A call that can be read stays one, whatever else the model wrote into it: that is content. */
  tellBeside(texts: readonly string[]): void {
    const said = texts.filter((text) => text !== '');
    if (said.length > 0) this.#events.line(said.join(', '));
  }

  /** What was read since the mark is content. */
  giveBack(): void {
    this.#events.text('content', this.input.sinceMark);
    this.input.unmark();
  }

  /** The name of a tool that stands here; undefined where there is none. */
  *name(): Reading<string | undefined> {
    let left = [...this.#tools.keys()];
    yield* this.input.skipSpace();
    let name = '';
    for (;;) {
      const next = yield* this.input.peek();
      const longer = next === undefined ? [] : left.filter((one) => one.startsWith(name + next));
      if (longer.length === 0) return this.#tools.has(name) ? name : undefined;
      left = longer;
      name += next;
      this.input.skip(1);
    }
  }
}

/** What stands for one call and not for another, and says nothing to anybody else: an id or a number. */
export const isId = (text: string): boolean => /^[\w.:-]{0,64}$/.test(text);

const maxHole = 256;

/** Reads texts with holes between them. @returns what stands in the holes, undefined where a text differs */
export function* readMark(input: Input, mark: readonly string[]): Reading<string[] | undefined> {
  const holes: string[] = [];
  for (const [i, text] of mark.entries()) {
    if (i > 0) {
      const end = text.trimStart()[0];
      const hole = yield* input.until((character) => character === end, maxHole);
      if (hole === undefined) return undefined;
      holes.push(hole.trim());
    }
    if (!(yield* input.expect(text))) return undefined;
  }
  return holes;
}
