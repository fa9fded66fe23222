// A grammar as it was asked for: put together, and known again.
import { replyGrammar, replySketch } from '@quern/chat';
import { type GrammarSource, type GrammarTrigger, tokenNames } from '@quern/grammar';
import type { AskedGrammar } from './request.ts';

/** @throws QuernError what `replyGrammar` throws */
export function sourceOf(asked: AskedGrammar): GrammarSource {
  if (asked.kind !== 'reply') return asked;
  // What asks nothing of a reply lets any text pass.
  return replyGrammar(asked.format, asked.constraint) ?? { kind: 'free' };
}

/** The texts in it that may be meant as tokens. Of a reply's grammar these are marks, the same for one tool and for thousands. */
export function namesIn(asked: AskedGrammar): Set<string> {
  const source = asked.kind === 'reply' ? replySketch(asked.format, asked.constraint) : asked;
  return source ? tokenNames(source) : new Set();
}

const keys = new WeakMap<AskedGrammar, string>();

/** Equal for equal grammars. It may be megabytes, and is asked for several times. */
export function keyOf(asked: AskedGrammar, trigger?: GrammarTrigger): string {
  let key = keys.get(asked);
  if (key === undefined) {
    key = JSON.stringify(asked);
    keys.set(asked, key);
  }
  return trigger ? key + JSON.stringify(trigger) : key;
}
