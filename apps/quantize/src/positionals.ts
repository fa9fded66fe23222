// What stands after the model, in llama-quantize's order: `[output] [type] [threads]`. The type is known by its name, so
// that the output may be left out, as there.
import { QuernError } from '@quern/errors';
import { fileTypes } from '@quern/kquant/file-types';
import { layerTypes } from './layer-flags.ts';

interface Named {
  type?: string;
  output?: string;
  threads?: string;
}

/**
 * The options, with what the positionals say.
 * @throws QuernError `usage-given-twice` for what a flag says too, `usage-excess-arguments`
 */
export function withPositionals<Options extends Named>(positionals: readonly string[], options: Options): Options {
  const rest = [...positionals];
  const named: Named = {};
  if (rest.length > 0 && !isType(rest[0]!) && !isMistypedType(rest, options)) named.output = rest.shift();
  if (rest.length > 0 && (options.type === undefined || isNamed(rest[0]!))) named.type = typeOf(rest.shift()!);
  if (rest.length > 0) named.threads = rest.shift();
  if (rest.length > 0)
    throw new QuernError('usage-excess-arguments', `There are too many arguments: ${rest.join(' ')}.`, {
      remedy: 'The order is: model, output, type, threads.',
    });
  for (const [name, value] of Object.entries(named)) {
    const flag = options[name as keyof Named];
    if (flag !== undefined)
      throw new QuernError('usage-given-twice', `The ${name} is given twice: ${value} and --${name} ${flag}.`);
  }
  return { ...options, ...named };
}

/** llama-quantize takes the number of a type too. */
const numbered = (text: string) => (/^\d+$/.test(text) ? fileTypes.find(({ id }) => id === Number(text)) : undefined);

const typeOf = (text: string): string => numbered(text)?.name ?? text;

const isType = (text: string): boolean => isNamed(text) || numbered(text) !== undefined;

function isNamed(text: string): boolean {
  const name = text.toUpperCase();
  const known = fileTypes.some((row) => row.name === name || row.aliases?.includes(name));
  return known || layerTypes.some((type) => type === text.toLowerCase());
}

/** A single word that is no file is a type, of which the message then names the nearest. */
const isMistypedType = ([word, ...more]: readonly string[], { type, output }: Named): boolean =>
  type === undefined && output === undefined && more.length === 0 && !/[./\\]/.test(word!);
