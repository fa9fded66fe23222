// Which pre-tokenizer a tokenizer.json describes, told by its structure: every step is written as the regular expression
// that it amounts to, in the dialect of the pre-tokenizer table, and looked up there.

import { QuernError } from '@quern/errors';
import * as patterns from '../pre-tokenizer/patterns.ts';
import { preTokenizerWithPatterns } from '../pre-tokenizer/pre-tokenizers.ts';
import { asArray, asObject, asString, isObject, type JsonObject } from './checkpoint-files.ts';

const file = 'tokenizer.json';

/** The name for `tokenizer.ggml.pre`. Throws `pre-tokenizer-unsupported`, which says what was found. */
export function preTokenizerName(tokenizer: JsonObject): string {
  checkNormalizer(tokenizer.normalizer);
  const steps = stepsOf(tokenizer.pre_tokenizer);
  const name = preTokenizerWithPatterns(steps);
  if (name === undefined) {
    throw unsupported(
      `cuts text by ${steps.length ? steps.map((step) => JSON.stringify(step)).join(', then ') : 'nothing'}`,
    );
  }
  return name;
}

function stepsOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  const step = asObject(value, file, 'pre_tokenizer');
  switch (step.type) {
    case 'Sequence':
      return asArray(step.pretokenizers, file, 'pre_tokenizer.pretokenizers').flatMap(stepsOf);
    case 'Split':
      return [splitPattern(step)];
    case 'Digits':
      return [step.individual_digits === true ? patterns.digit : patterns.digits];
    case 'Punctuation':
      if (step.behavior !== 'Contiguous') throw unsupported(`has Punctuation with the behavior ${step.behavior}`);
      return [patterns.falconPunctuation];
    case 'ByteLevel':
      if (step.add_prefix_space === true)
        throw unsupported('puts a space before the text (ByteLevel.add_prefix_space)');
      return step.use_regex === false ? [] : [patterns.gpt2];
    default:
      throw unsupported(`has a step of the type ${step.type}`);
  }
}

function splitPattern(step: JsonObject): string {
  const pattern = asObject(step.pattern, file, 'pre_tokenizer.pattern');
  // "Removed" and "invert" keeps the matches and drops the rest; the expressions in use leave no rest.
  const keepsMatches = step.behavior === 'Isolated' || (step.behavior === 'Removed' && step.invert === true);
  if (pattern.Regex === undefined || !keepsMatches) {
    throw unsupported(`has Split with ${JSON.stringify(pattern)}, ${step.behavior}, invert ${step.invert}`);
  }
  return inTableDialect(asString(pattern.Regex, file, 'pre_tokenizer.pattern.Regex'));
}

/** Case-insensitive groups written out, control characters escaped. */
function inTableDialect(regex: string): string {
  return regex
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n')
    .replace(/\(\?i:([^()]*)\)/g, (_, group: string) => `(?:${inBothCases(group)})`);
}

function inBothCases(group: string): string {
  return group.replace(/\[[a-z]+\]|[a-z]/g, (part) => {
    const letters = part.replace(/[[\]]/g, '');
    return `[${Array.from(letters, (letter) => letter + letter.toUpperCase()).join('')}]`;
  });
}

/** GGUF has no place for a normalizer. NFC changes only text that is not composed already; others are refused. */
function checkNormalizer(normalizer: unknown): void {
  if (normalizer === null || normalizer === undefined) return;
  const type = isObject(normalizer) ? normalizer.type : normalizer;
  if (type === 'NFC') return;
  if (isObject(normalizer) && type === 'Sequence' && Array.isArray(normalizer.normalizers)) {
    normalizer.normalizers.forEach(checkNormalizer);
    return;
  }
  throw new QuernError('normalizer-unsupported', `tokenizer.json normalizes text by ${type}.`, {
    file,
    remedy: 'GGUF cannot say this for byte-level BPE; use a model without it.',
  });
}

function unsupported(what: string): QuernError {
  return new QuernError('pre-tokenizer-unsupported', `The pre-tokenizer in tokenizer.json ${what}.`, {
    file,
    remedy: 'Use a model of a supported family, or add a row to the table of pre-tokenizers.',
  });
}
