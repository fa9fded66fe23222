// Messages typed at a terminal: lines with history and editing, several of them between """ or with \ at their ends.
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const [first, further] = ['>>> ', '... '];
const fence = '"""';

export class LineReader {
  readonly #terminal: Interface;
  readonly #lines: string[] = [];
  #waiting?: (line: string | undefined) => void;
  #closed = false;
  /** Ctrl-C was pressed at an empty prompt just now. */
  #leaving = false;
  #interrupted = false;

  /** @param stop told of Ctrl-C; returns whether there was something to stop */
  constructor(input: Readable, output: Writable, stop: () => boolean) {
    this.#terminal = createInterface({ input, output, terminal: true, historySize: 1000 });
    this.#terminal.on('line', (line) => this.#hand(line));
    this.#terminal.on('close', () => {
      this.#closed = true;
      this.#waiting?.(undefined);
    });
    this.#terminal.on('SIGINT', () => {
      if (stop()) return;
      if (this.#leaving) return this.#terminal.close();
      this.#leaving = this.#terminal.line === '';
      output.write(this.#leaving ? '\nCtrl-C again, Ctrl-D or /bye leaves.\n' : '\n');
      // What was typed goes, and so do the lines of the message before it.
      this.#interrupted = true;
      this.#terminal.write(null, { ctrl: true, name: 'e' });
      this.#terminal.write(null, { ctrl: true, name: 'u' });
      this.#hand('');
    });
  }

  close(): void {
    this.#terminal.close();
  }

  /** The next message; undefined when there will be none. */
  async message(): Promise<string | undefined> {
    this.#interrupted = false;
    const line = await this.#line(first);
    if (line === undefined) return undefined;
    return line.trimStart().startsWith(fence) ? this.#fenced(line) : this.#continued(line);
  }

  /** Until the fence is closed; what stands on its lines belongs to the message. */
  async #fenced(begin: string): Promise<string | undefined> {
    let text = begin.trimStart().slice(fence.length);
    for (;;) {
      const end = text.indexOf(fence);
      if (end >= 0) return text.slice(0, end).replace(/^\n|\n$/g, '');
      const line = await this.#line(further);
      if (line === undefined) return undefined;
      if (this.#interrupted) return '';
      text += `\n${line}`;
    }
  }

  async #continued(begin: string): Promise<string | undefined> {
    let text = begin;
    while (text.endsWith('\\')) {
      const line = await this.#line(further);
      if (line === undefined) return undefined;
      if (this.#interrupted) return '';
      text = `${text.slice(0, -1)}\n${line}`;
    }
    return text;
  }

  #line(prompt: string): Promise<string | undefined> {
    const ready = this.#lines.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#closed) return Promise.resolve(undefined);
    this.#terminal.setPrompt(prompt);
    this.#terminal.prompt();
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #hand(line: string): void {
    if (line !== '') this.#leaving = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    // What is typed during a reply is the next message.
    if (waiting) waiting(line);
    else this.#lines.push(line);
  }
}
