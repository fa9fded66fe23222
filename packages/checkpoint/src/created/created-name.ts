// What a created model may be called: as Ollama's names are, `[[host/]owner/]model[:tag]`. A name becomes the name of a file, so
// that nothing else may be in it.
import { QuernError } from '@quern/errors';

const longestName = 200;
const part = '[A-Za-z0-9_][A-Za-z0-9_.-]*';
const form = new RegExp(`^(?:${part}/){0,2}${part}(?::${part})?$`);

/**
 * The name without the tag that means the newest.
 * @throws QuernError `name-malformed`
 */
export function createdName(text: string): string {
  const name = text.replace(/:latest$/, '');
  if (name.length <= longestName && form.test(name)) return name;
  throw new QuernError('name-malformed', `${JSON.stringify(text.slice(0, longestName))} is no name of a model.`, {
    remedy: `Write model, owner/model or owner/model:tag: letters, digits, . _ and -, ${longestName} at most.`,
  });
}

/** Names that differ in case alone are one: file systems may think so too. */
export const manifestFile = (name: string): string =>
  `${name.toLowerCase().replaceAll('/', '+').replaceAll(':', '@')}.json`;
