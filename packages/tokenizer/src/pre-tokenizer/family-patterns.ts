// Expressions that one family of models uses, in the dialect of patterns.ts.
// Source: the models' tokenizer.json or tokenization_*.py; where those are not public, llama.cpp's src/llama-vocab.cpp.

import { anyContraction, asciiPunctuationWord, gpt4, gpt4o, lineEndsAndSpaces, lower, upper } from './patterns.ts';

/** Jais 2: GPT-4's, but white space comes in runs of powers of two. */
export const jais2 = gpt4('\\p{N}{1,3}').replace(
  '\\s+(?!\\S)|\\s+',
  `${[512, 256, 128, 64, 32, 16, 8, 4].map((length) => `\\s{${length}}(?!\\S)|`).join('')}\\s{1,2}(?!\\S)|\\s{1}`,
);

export const spark25 =
  `${asciiPunctuationWord}|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|` +
  ' ?[\\p{P}\\p{S}]+|[\\r\\n]|\\s+(?!\\S)|\\s+';

export const youtuScripts = '[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+';

export const chameleonSentinel = '<sentinel:[0-9]+>';
export const chameleonImage = '(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z';
export const chameleonBlanks = '([\\t\\n]|    |  )';
export const chameleonPunctuation = '[\\p{P}!-/:-@\\[-`{-~]';

/** Digits by three from the right, where no letter follows. */
export const tinyAyaDigits = '\\d{1,3}(?=(?:\\d{3})*\\b)';
/** The same of any number, whatever follows. */
export const afmoeDigits = '\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))';
export const afmoeScripts = '[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+';

export const superBpeDigits = '(?=(\\d{3})+(?!\\d))';

const notHan = (set: string) => `(?:(?!\\p{Han})${set})`;
const kimi = (upperSet: string, lowerSet: string) =>
  `[\\p{Han}]+|${gpt4o('\\p{N}{1,3}').replaceAll(upper, upperSet).replaceAll(lower, lowerSet).replace('[\\r\\n/]*', '[\\r\\n]*')}`;
/** Kimi K2: GPT-4o's with Han apart. */
export const kimiK2 = kimi(notHan(upper), notHan(lower));
/** As the models' own Python writes it. */
export const kimiK2Intersections = kimi(intersected(upper), intersected(lower));

function intersected(set: string): string {
  return set.replace(/\]$/, '&&[^\\p{Han}]]');
}

export const exaoneMoe =
  `${anyContraction}|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|` +
  '\\s*[\\r\\n]|\\s+(?!\\S)|\\s+';

/** GPT-4o's with marks counted as letters, whatever their script. */
export const graniteEmbedding = gpt4o('\\p{N}{1,3}');

/** Text models of SentencePiece's kind: only line ends are apart. */
export const lines = '[^\\n]+|[\\n]+';

export const notBlank = '\\S+';

export const bailingMoe =
  "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  '\\s*[\\r\\n]|\\s+(?!\\S)|\\s+';
/** As tokenizer.json has it: no shorter match can make these two possible anyway. */
export const bailingMoePossessive = bailingMoe.replace('{N}]?', '{N}]?+').replace('{N}]+[', '{N}]++[');

export const seedCoder = `${anyContraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${lineEndsAndSpaces}`;
export const seedCoderOneDigit = seedCoder.replace('|\\p{N}|', '|\\p{N}{1}|');

export const bloom = ' ?[^(\\s|.,!?…。，、।۔،)]+';
