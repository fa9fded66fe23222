// Tool calls inside generated text. Models trained on the Hermes convention (Qwen, ChatML finetunes) write
//   <tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>
// The reader takes text in any pieces and gives back content and calls in order. What looks like a call but is not valid
// JSON of that shape is given back as text, tags included: nothing the model wrote is lost.
import { z } from 'zod';
import type { ReplyEvent, ReplyReader } from './reply-reader.ts';

export interface ToolCall {
  name: string;
  /** JSON text of the arguments, as OpenAI's clients expect it. */
  arguments: string;
}

const open = '<tool_call>';
const close = '</tool_call>';
const callShape = z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) });

/** Length of the longest suffix of `text` that may be the beginning of `tag`. */
function partialTag(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (tag.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}

export function parseToolCall(json: string): ToolCall | undefined {
  try {
    const call = callShape.parse(JSON.parse(json));
    return { name: call.name, arguments: JSON.stringify(call.arguments) };
  } catch {
    return undefined;
  }
}

export class ToolCallReader implements ReplyReader {
  #calls = 0;
  #held = '';
  #inside = false;

  push(text: string): ReplyEvent[] {
    this.#held += text;
    const parts: ReplyEvent[] = [];
    for (;;) {
      const tag = this.#inside ? close : open;
      const at = this.#held.indexOf(tag);
      if (at < 0) break;
      const before = this.#held.slice(0, at);
      this.#held = this.#held.slice(at + tag.length);
      if (this.#inside) parts.push(...this.#parts(before));
      else if (before) parts.push({ type: 'content', text: before });
      this.#inside = !this.#inside;
    }
    if (!this.#inside) {
      const keep = partialTag(this.#held, open);
      const ready = this.#held.slice(0, this.#held.length - keep);
      this.#held = this.#held.slice(ready.length);
      if (ready) parts.push({ type: 'content', text: ready });
    }
    return parts;
  }

  /** What is left when generation ends: a call that was cut off stays text. */
  end(): ReplyEvent[] {
    const text = (this.#inside ? open : '') + this.#held;
    this.#held = '';
    this.#inside = false;
    return text ? [{ type: 'content', text }] : [];
  }

  #parts(json: string): ReplyEvent[] {
    const call = parseToolCall(json);
    if (!call) return [{ type: 'content', text: open + json + close }];
    const index = this.#calls++;
    return [
      { type: 'call', index, name: call.name },
      { type: 'arguments', index, text: call.arguments },
    ];
  }
}
