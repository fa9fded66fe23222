// `pre_tokenizer` of tokenizer.json as it stands, for expressions that llama.cpp has no name for.
// Source: the tokenizers library 0.23, tokenizers/src/pre_tokenizers.

import { QuernError } from '@quern/errors';
import { asArray, asObject, asString, type JsonObject, malformed } from '../huggingface/checkpoint-files.ts';
import * as patterns from '../pre-tokenizer/patterns.ts';
import { type Find, finderOf, finderOfExpression } from './pattern.ts';

export type Cut = (pieces: readonly string[]) => readonly string[];

const file = 'tokenizer.json';
const punctuation = '[\\p{P}$+<=>^`|~]';

/** @throws QuernError `pre-tokenizer-unsupported`, `tokenizer-json-malformed`, those of `compileExpression` */
export function compilePreTokenizer(value: unknown): Cut {
  if (value === null || value === undefined) return (pieces) => pieces;
  const step = asObject(value, file, 'pre_tokenizer');
  switch (step.type) {
    case 'Sequence': {
      const steps = asArray(step.pretokenizers, file, 'pre_tokenizer.pretokenizers').map(compilePreTokenizer);
      return (pieces) => steps.reduce((done, cut) => cut(done), pieces);
    }
    case 'Split':
      return splitting(finderOf(step.pattern, 'pre_tokenizer.pattern'), step.behavior, step.invert === true);
    case 'Digits':
      return splitting(finderOfExpression(patterns.digit), step.individual_digits === true ? 'Isolated' : 'Contiguous');
    case 'Punctuation':
      return splitting(finderOfExpression(punctuation), step.behavior ?? 'Isolated');
    case 'Whitespace':
      return splitting(finderOfExpression('\\w+|[^\\w\\s]+'), 'Removed', true);
    case 'WhitespaceSplit':
      return splitting(finderOfExpression('\\s'), 'Removed');
    case 'CharDelimiterSplit':
      return splitting(finderOf(step.delimiter, 'pre_tokenizer.delimiter'), 'Removed');
    case 'ByteLevel':
      return byteLevel(step);
    case 'Metaspace':
      return metaspace(step);
    default:
      throw new QuernError(
        'pre-tokenizer-unsupported',
        `The pre-tokenizer in tokenizer.json has a step of the type ${step.type}.`,
        { file, remedy: 'Use a model of a supported family.' },
      );
  }
}

function byteLevel(step: JsonObject): Cut {
  const words = step.use_regex === false ? undefined : splitting(finderOfExpression(patterns.gpt2), 'Isolated');
  const prefixed: Cut = (pieces) => pieces.map((piece) => (/^ /.test(piece) ? piece : ` ${piece}`));
  return (pieces) => {
    const begun = step.add_prefix_space === true ? prefixed(pieces) : pieces;
    return words ? words(begun) : begun;
  };
}

function metaspace(step: JsonObject): Cut {
  const space = asString(step.replacement ?? '▁', file, 'pre_tokenizer.replacement');
  const isFirstOnly = step.prepend_scheme === 'first';
  const prepends =
    step.prepend_scheme === undefined ? step.add_prefix_space !== false : step.prepend_scheme !== 'never';
  const words =
    step.split === false ? undefined : splitting(finderOf(space, 'pre_tokenizer.replacement'), 'MergedWithNext');
  return (pieces) => {
    const marked = pieces.map((piece, index) => {
      const text = piece.replaceAll(' ', space);
      // The library puts nothing in front of nothing.
      const begins = text === '' || text.startsWith(space);
      return prepends && !begins && (index === 0 || !isFirstOnly) ? space + text : text;
    });
    return words ? words(marked) : marked;
  };
}

interface Part {
  text: string;
  isMatch: boolean;
}

/** @param invert what lies between the matches is what matches */
function splitting(find: Find, behavior: unknown, invert = false): Cut {
  const join = behaviors[String(behavior)];
  if (!join) throw malformed(file, `is malformed: ${JSON.stringify(behavior)} is no way to split`);
  return (pieces) => pieces.flatMap((piece) => join(partsOf(piece, find(piece), invert)).filter((text) => text !== ''));
}

function partsOf(text: string, places: readonly number[], invert: boolean): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (let i = 0; i < places.length; i += 2) {
    const [start, end] = [places[i] as number, places[i + 1] as number];
    if (start > at) parts.push({ text: text.slice(at, start), isMatch: invert });
    parts.push({ text: text.slice(start, end), isMatch: !invert });
    at = end;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isMatch: invert });
  return parts;
}

const behaviors: Readonly<Record<string, (parts: readonly Part[]) => string[]>> = {
  Removed: (parts) => parts.filter(({ isMatch }) => !isMatch).map(({ text }) => text),
  Isolated: (parts) => parts.map(({ text }) => text),
  MergedWithPrevious: (parts) => joined(parts, (part, before) => part.isMatch && !before.isMatch),
  MergedWithNext: (parts) =>
    joined([...parts].reverse(), (part, behind) => part.isMatch && !behind.isMatch, true).reverse(),
  Contiguous: (parts) => joined(parts, (part, before) => part.isMatch === before.isMatch),
};

/** Joins a part to the one before it where `goesWith` says so. */
function joined(parts: readonly Part[], goesWith: (part: Part, before: Part) => boolean, isReversed = false): string[] {
  const texts: string[] = [];
  parts.forEach((part, index) => {
    const before = parts[index - 1];
    const last = texts.length - 1;
    if (before && goesWith(part, before)) texts[last] = isReversed ? part.text + texts[last] : texts[last] + part.text;
    else texts.push(part.text);
  });
  return texts;
}
