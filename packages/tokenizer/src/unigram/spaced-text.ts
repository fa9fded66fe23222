// A text as SentencePiece normalizes it, by what GGUF says: characters mapped, the longest texts of the map first; spaces
// written `▁`, one for many and one in front where the model wants it (llama.cpp `llm_tokenizer_ugm_session::normalize`).
import type { CharacterMap } from './character-map.ts';

export interface SpacingRules {
  readonly map?: CharacterMap;
  readonly spacePrefix: boolean;
  readonly mergeSpaces: boolean;
}

const space = '▁';
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export function spacedText(text: string, { map, spacePrefix, mergeSpaces }: SpacingRules): string {
  let spaced = '';
  let isInWord = false;
  let isBegun = false;
  for (const character of map ? mapped(text, map) : text) {
    if (character === ' ') {
      isInWord = false;
      if (!mergeSpaces) spaced += space;
      continue;
    }
    if (!isInWord) {
      isInWord = true;
      if (mergeSpaces || (spacePrefix && !isBegun)) {
        spaced += space;
        isBegun = true;
      }
    }
    spaced += character;
  }
  return spaced;
}

function mapped(text: string, map: CharacterMap): string {
  const bytes = utf8.encode(text);
  let result = '';
  let done = 0;
  for (let at = 0; at < bytes.length; ) {
    const found = map.longest(bytes, at);
    if (!found) {
      at += characterLength(bytes[at]!);
      continue;
    }
    result += fromUtf8.decode(bytes.subarray(done, at)) + found.text;
    at += found.length;
    done = at;
  }
  return result + fromUtf8.decode(bytes.subarray(done));
}

/** By its first byte. */
const characterLength = (first: number): number => (first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);
