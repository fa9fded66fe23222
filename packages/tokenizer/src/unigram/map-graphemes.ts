// A character map as the tokenizers library applies it (normalizers/precompiled.rs), which is not SentencePiece's way: whole
// graphemes of less than six bytes are looked up, else their characters one by one, and of what the map has the shortest
// beginning decides for the whole.
import type { CharacterMap } from './character-map.ts';

const shortBytes = 6;
const utf8 = new TextEncoder();
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** @param most beyond this length the rest is left out: whoever asks refuses it */
export function mapGraphemes(text: string, map: CharacterMap, most = Number.POSITIVE_INFINITY): string {
  let result = '';
  for (const { segment } of graphemes.segment(text)) {
    if (result.length > most) break;
    const bytes = utf8.encode(segment);
    const whole = bytes.length < shortBytes ? map.shortest(bytes) : undefined;
    if (whole !== undefined) result += whole;
    else for (const character of segment) result += map.shortest(utf8.encode(character)) ?? character;
  }
  return result;
}
