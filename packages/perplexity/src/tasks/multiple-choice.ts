// llama.cpp's binary multiple-choice sets (tools/perplexity multiple_choice_task), little-endian:
//   u32 tasks | u32 position[tasks] | tasks
//   task    string question | answers with one that is right (mc1) | answers with several (mc2, not scored)
//   answers u32 n ≤ 100 | string[n] | i32 label[n], 1 for right         string  u32 bytes | UTF-8
import type { ChoiceTask } from './choice-task.ts';
import { taskDamaged } from './task-text.ts';

const maxAnswers = 100;
/** A question and two lists, all empty. */
const minTaskBytes = 16;

/** @throws QuernError `task-file-damaged` with the offset */
export function readMultipleChoice(bytes: Uint8Array, file: string): ChoiceTask[] {
  const reader = new Reader(bytes, file);
  const count = reader.count('number of tasks', 1, Math.floor(bytes.length / minTaskBytes));
  reader.skip(4 * count);
  const tasks = Array.from({ length: count }, () => readTask(reader));
  if (reader.left > 0) throw taskDamaged(file, `${reader.left} bytes follow its last task`, reader.offset);
  return tasks;
}

function readTask(reader: Reader): ChoiceTask {
  const at = reader.offset;
  const context = reader.text();
  const { answers, right } = reader.answers();
  reader.answers();
  if (context === '' || answers.length === 0 || answers.includes('') || right.length === 0)
    throw taskDamaged(reader.file, 'a task lacks its question, an answer, or the right answer', at);
  return { choices: answers.map((answer) => ({ context, continuation: ` ${answer}` })), right };
}

class Reader {
  offset = 0;
  readonly file: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, file: string) {
    this.file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.offset;
  }

  skip(bytes: number): number {
    const at = this.offset;
    if (bytes > this.left) throw taskDamaged(this.file, `it ends ${bytes - this.left} bytes early`, at);
    this.offset += bytes;
    return at;
  }

  count(what: string, min: number, max: number): number {
    const at = this.skip(4);
    const value = this.#view.getUint32(at, true);
    if (value >= min && value <= max) return value;
    throw taskDamaged(this.file, `its ${what} is ${value}`, at);
  }

  text(): string {
    const length = this.count('text length', 0, this.left - 4);
    const at = this.skip(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw taskDamaged(this.file, 'a text is not UTF-8', at);
    }
  }

  answers(): { answers: string[]; right: number[] } {
    const count = this.count('number of answers', 0, maxAnswers);
    const answers = Array.from({ length: count }, () => this.text());
    const labels = answers.map(() => this.count('label of an answer', 0, 1));
    return { answers, right: labels.flatMap((label, i) => (label === 1 ? [i] : [])) };
  }
}
