// White space between calls, or between a thought and a call, says nothing. Where contents are blocks of their own
// (Anthropic's, Responses'), a block of it alone would be shown as an empty paragraph, and Anthropic's own API refuses one
// that comes back. Inside and before other text it stays.
import type { ReplyEvent } from '@quern/chat';

export class BlankTexts {
  #held = '';
  #inText = false;

  /** The events without contents that are blank from end to end; the beginning of one waits for what follows. */
  filter(parts: readonly ReplyEvent[]): ReplyEvent[] {
    return parts.flatMap((part): ReplyEvent[] => {
      if (part.type !== 'content') {
        this.#held = '';
        this.#inText = false;
        return [part];
      }
      const text = this.#held + part.text;
      this.#inText ||= text.trim() !== '';
      this.#held = this.#inText ? '' : text;
      return this.#inText && text ? [{ type: 'content', text }] : [];
    });
  }
}
