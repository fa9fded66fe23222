// `normalizer` of tokenizer.json: what is done to a text before it is cut. GGUF has no place for it.
// Source: the tokenizers library 0.23, tokenizers/src/normalizers.

import { QuernError } from '@quern/errors';
import { asArray, asObject, asString, isObject, type JsonObject } from '../huggingface/checkpoint-files.ts';
import { bytesOfBase64 } from '../unigram/base64.ts';
import { CharacterMap } from '../unigram/character-map.ts';
import { mapGraphemes } from '../unigram/map-graphemes.ts';
import { finderOf } from './pattern.ts';

export type Normalize = (text: string) => string;
/** @param most how long the text may become */
type Step = (text: string, most: number) => string;

const file = 'tokenizer.json';

/** Compatibility forms have up to 18 characters for one; what grows more is an attack on memory. */
const maxGrowth = 32;
const freeGrowth = 4096;

/**
 * @throws QuernError `normalizer-unsupported`, `tokenizer-json-malformed`, those of `compileExpression`; what is returned
 *   throws `normalizer-runaway`
 */
export function compileNormalizer(value: unknown): Normalize {
  const steps = stepsOf(value);
  return (text) => {
    const most = freeGrowth + maxGrowth * text.length;
    let done = text;
    for (const step of steps) {
      done = step(done, most);
      if (done.length > most) throw runaway(text.length, most);
    }
    return done;
  };
}

const runaway = (length: number, most: number): QuernError =>
  new QuernError(
    'normalizer-runaway',
    `The normalizer of the tokenizer makes more than ${most} characters of ${length}.`,
    { file, remedy: 'Use another model: no real normalizer does.' },
  );

function stepsOf(value: unknown): readonly Step[] {
  if (value === null || value === undefined) return [];
  const step = asObject(value, file, 'normalizer');
  const type = String(step.type);
  switch (type) {
    case 'Sequence':
      return asArray(step.normalizers, file, 'normalizer.normalizers').flatMap(stepsOf);
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return [(text) => text.normalize(type)];
    case 'Lowercase':
      return [lowerCased];
    case 'StripAccents':
      return [withoutMarks];
    case 'Strip':
      return [stripping(step)];
    case 'Prepend': {
      const prefix = asString(step.prepend, file, 'normalizer.prepend');
      return [(text) => (text === '' ? text : prefix + text)];
    }
    case 'Replace':
      return [replacing(step)];
    case 'Precompiled': {
      const map = characterMapOf(step);
      return map ? [(text, most) => mapGraphemes(text, map, most)] : [];
    }
    default:
      throw new QuernError('normalizer-unsupported', `tokenizer.json normalizes text by ${type}.`, {
        file,
        remedy: 'Use a model without it.',
      });
  }
}

/** Of a step of the type Precompiled; undefined where its map is empty. */
function characterMapOf(step: JsonObject): CharacterMap | undefined {
  const text = asString(step.precompiled_charsmap ?? '', file, 'normalizer.precompiled_charsmap');
  return text === '' ? undefined : new CharacterMap(bytesOfBase64(text));
}

/** Letter by letter: no final sigma. */
const lowerCased: Step = (text) => Array.from(text, (character) => character.toLowerCase()).join('');
const withoutMarks: Step = (text) => text.replace(/\p{Mn}/gu, '');

function stripping({ strip_left: left, strip_right: right }: JsonObject): Step {
  return (text) => {
    const begun = left === true ? text.replace(/^\p{White_Space}+/u, '') : text;
    return right === true ? begun.replace(/\p{White_Space}+$/u, '') : begun;
  };
}

function replacing(step: JsonObject): Step {
  const find = finderOf(step.pattern, 'normalizer.pattern');
  const content = asString(step.content, file, 'normalizer.content');
  return (text, most) => {
    const places = find(text);
    if ((places.length / 2) * content.length - text.length > most) throw runaway(text.length, most);
    let done = '';
    let at = 0;
    for (let i = 0; i < places.length; i += 2) {
      done += text.slice(at, places[i]) + content;
      at = places[i + 1] as number;
    }
    return done + text.slice(at);
  };
}

/** Whether a normalizer leaves alone every text in composed form (NFC), as all that people type is. */
export function onlyComposes(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (!isObject(value)) return false;
  if (value.type === 'Sequence') return Array.isArray(value.normalizers) && value.normalizers.every(onlyComposes);
  return value.type === 'NFC';
}

/** Whether it does nothing at all. */
export function doesNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return (
    isObject(value) &&
    value.type === 'Sequence' &&
    Array.isArray(value.normalizers) &&
    value.normalizers.every(doesNothing)
  );
}
