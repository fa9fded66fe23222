// llama.cpp's short form for the stages of a chain (`--sampler-seq`): a letter for each.
import { QuernError } from '@quern/errors';
import { type StageName, stageKinds, stageNames } from './stages/index.ts';

/** @throws QuernError `sampling-invalid` naming the first letter that stands for no stage */
export function samplersOfLetters(letters: string): StageName[] {
  return Array.from(letters, (letter) => {
    const name = stageNames.find((one) => stageKinds[one].letter === letter);
    if (name) return name;
    const all = stageNames.map((one) => `${stageKinds[one].letter} (${one})`).join(', ');
    throw new QuernError('sampling-invalid', `No sampler has the letter "${letter}"; there are ${all}.`);
  });
}
