// The regular expressions that cut text into words before byte-level BPE, those of the large families (the others are in
// family-patterns.ts). They are written as in the models' own tokenizer.json, in this dialect: `\s` and `\S` are Unicode
// white space (Oniguruma's meaning, see compile.ts), case-insensitive groups are written out.
//
// Source: the models' tokenizer.json. Where llama.cpp runs an approximation of one (its regex engine knows no letter
// cases: gpt-4o, tekken), we keep to the model's own.

import { withoutUnicodeEscapes } from './compile.ts';

const contractions = "'s|'t|'re|'ve|'m|'ll|'d";
const contractionsAnyCase = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";

/** A pattern as tokenizer.json files write it: contractions in a case-insensitive group, characters as themselves. */
export const asTokenizerJsonWrites = (pattern: string): string =>
  withoutUnicodeEscapes(pattern.replaceAll(anyContraction, `(?i:${contractions})`));

export const anyContraction = `(?:${contractionsAnyCase})`;

export const lineEndsAndSpaces = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

export const gpt2 = `${contractions}| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+`;

/** GPT-4's expression with `digits` digits to a word: the base of Llama 3, Qwen 2 and many others. */
export const gpt4 = (digits: string, contraction = `${anyContraction}|`): string =>
  `${contraction}[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${lineEndsAndSpaces}`;

export const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
export const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';

/** GPT-4o's expression: words also end where lower case turns to upper case. */
export const gpt4o = (digits: string, contraction = `${anyContraction}?`): string =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${contraction}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${contraction}|` +
  `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${lineEndsAndSpaces}`;

/** Qwen 3.5: GPT-4's with marks as parts of words. */
export const gpt4WithMarks =
  `${anyContraction}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|` +
  lineEndsAndSpaces;

export const digit = '\\p{N}';
export const digits = '\\p{N}+';
export const upToThreeDigits = '\\p{N}{1,3}';

export const falconPunctuation = '[\\p{P}$+<=>^~|`]+';
export const threeAsciiDigits = '[0-9][0-9][0-9]';

export const lineEnd = '[\\r\\n]';

/** Letters that have a case, as DeepSeek LLM lists them. Escaped: editors that normalise would change some. */
export const deepSeekLlmLetters =
  '\\s?[' +
  'A-Za-z\\u00b5\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u01ba\\u01bc-\\u01bf\\u01c4-\\u0293\\u0295-\\u02af' +
  '\\u0370-\\u0373\\u0376\\u0377\\u037b-\\u037d\\u037f\\u0386\\u0388-\\u038a\\u038c\\u038e-\\u03a1' +
  '\\u03a3-\\u03f5\\u03f7-\\u0481\\u048a-\\u052f\\u0531-\\u0556\\u10a0-\\u10c5\\u13a0-\\u13f5\\u13f8-\\u13fd' +
  '\\u1c90-\\u1cba\\u1cbd-\\u1cbf\\u1d00-\\u1d2b\\u1d6b-\\u1d77\\u1d79-\\u1d9a\\u1e00-\\u1f15\\u1f18-\\u1f1d' +
  '\\u1f20-\\u1f45\\u1f48-\\u1f4d\\u1f50-\\u1f57\\u1f59\\u1f5b\\u1f5d\\u1f5f-\\u1f7d\\u1f80-\\u1fb4' +
  '\\u1fb6-\\u1fbc\\u1fbe\\u1fc2-\\u1fc4\\u1fc6-\\u1fcc\\u1fd0-\\u1fd3\\u1fd6-\\u1fdb\\u1fe0-\\u1fec' +
  '\\u1ff2-\\u1ff4\\u1ff6-\\u1ffc\\u2102\\u2107\\u210a-\\u2113\\u2115\\u2119-\\u211d\\u2124\\u2126\\u2128' +
  '\\u212a-\\u212d\\u212f-\\u2134\\u2139\\u213c-\\u213f\\u2145-\\u2149\\u214e\\u2183\\u2184\\u2c00-\\u2c7b' +
  '\\u2c7e-\\u2ce4\\u2ceb-\\u2cee\\u2cf2\\u2cf3\\ua640-\\ua66d\\ua680-\\ua69b\\ua722-\\ua76f\\ua771-\\ua787' +
  '\\ua78b-\\ua78e\\uab70-\\uabbf\\ufb00-\\ufb06\\ufb13-\\ufb17\\uff21-\\uff3a\\uff41-\\uff5a' +
  '\\u{10400}-\\u{1044f}\\u{104b0}-\\u{104d3}\\u{104d8}-\\u{104fb}\\u{10c80}-\\u{10cb2}\\u{10cc0}-\\u{10cf2}' +
  '\\u{118a0}-\\u{118df}\\u{1e900}-\\u{1e943}' +
  ']+';
export const deepSeekLlmPunctuation = '\\s?[!-/:-~！-／：-～‘-‟　-。]+';
export const spacesAtEnd = '\\s+$';
/** Han and Hangul, as both early DeepSeeks have it; the middle range is as they wrote it. */
export const deepSeekCjk = '[一-龥ࠀ-一가-퟿]+';
export const deepSeekCoderLetters = '\\s?\\p{L}+';
export const deepSeekCoderPunctuation = '\\s?\\p{P}+';

export const deepSeekV3Cjk = '[一-龥぀-ゟ゠-ヿ]+';
/** A word behind one sign of ASCII. */
export const asciiPunctuationWord = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+';
export const deepSeekV3Words =
  `${asciiPunctuationWord}|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|` +
  ` ?[\\p{P}\\p{S}]+[\\r\\n]*|${lineEndsAndSpaces}`;
