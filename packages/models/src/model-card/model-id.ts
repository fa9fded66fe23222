// What a hub id or an address says of a base model or a data set: `mistralai/Mistral-7B-v0.1` is "Mistral 7B v0.1" of
// "Mistralai", version v0.1. Source: gguf-py metadata.py `get_model_id_components`, `id_to_title`. There
// a size that is far from the converted model's is none; here every size is one, which few names can tell (`phi-mini-3-4b`).

/** Fields of `general.base_model.<n>`. */
export type Origin = Readonly<Record<string, string>>;

const hub = 'https://huggingface.co/';

export function originOf(id: string): Origin {
  if (!/^(https?|ssh):\/\//.test(id)) {
    const { organization, repository } = partsOf(id);
    return { ...described(id), ...(organization && { repo_url: `${hub}${organization}/${repository}` }) };
  }
  const named = /^https?:\/\/huggingface\.co\/([^/]+\/[^/]+)$/.exec(id)?.[1];
  return { ...(named !== undefined && described(named)), repo_url: id };
}

/** The id or address that says all of this; undefined where none does. */
export function idOf(origin: Origin): string | undefined {
  const { repo_url: url = '', name = '' } = origin;
  const candidates = [url.startsWith(hub) ? url.slice(hub.length) : url, url, name].filter(Boolean);
  const text = (one: Origin) => JSON.stringify(Object.entries(one).sort());
  return candidates.find((id) => text(originOf(id)) === text(origin));
}

function partsOf(id: string): { organization?: string; repository: string } {
  const slash = id.includes(' ') ? -1 : id.indexOf('/');
  if (slash < 0) return { repository: id };
  const organization = id.slice(0, slash);
  return { ...(organization.startsWith('.') ? {} : { organization }), repository: id.slice(slash + 1) };
}

function described(id: string): Record<string, string> {
  if (id.includes(' ')) return { name: titleOf(id) };
  const { organization, repository } = partsOf(id);
  const version = versionIn(repository);
  return {
    name: titleOf(repository),
    ...(organization && { organization: titleOf(organization) }),
    ...(version && { version }),
  };
}

/** Words in lower case get a capital; words with capitals, versions and sizes stay. */
export function titleOf(id: string): string {
  return id
    .trim()
    .replaceAll('-', ' ')
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      const lowerCase = word === word.toLowerCase() && word !== word.toUpperCase();
      if (!lowerCase || /^(v\d+(\.\d+)*|\d.*)$/.test(word)) return word;
      return word.replace(/\p{L}+/gu, (letters) => letters.charAt(0).toUpperCase() + letters.slice(1));
    })
    .join(' ');
}

const isVersion = (word: string): boolean => /^(v|iter)?\d+(\.\d+)*$/i.test(word);
const isType = (word: string): boolean => /^(i?q\d(_\w)*|b?fp?(16|32))$/i.test(word);
const isSize = (word: string): boolean =>
  /^((a|\d+x)?\d+([._]\d+)?[kmbt]\d?|small|mini|medium|large|x?xl)$/i.test(word);
const isVariant = (word: string): boolean => /^(chat|instruct|vision|lora)$/i.test(word);

/** Versions that are no part of the model's own name: that of `Llama-2-7b` is one, that of `phi-3` is none. */
function versionIn(repository: string): string {
  const words = repository.split('-').filter(Boolean);
  // Beside a size in digits, "mini" and "large" are words like others.
  const sized = words.some((word, i) => i > 0 && !isVersion(word) && isSize(word) && /\d/.test(word));
  const known = (word: string, i: number) =>
    isType(word) || (i > 0 && ((isSize(word) && (!sized || /\d/.test(word))) || isVariant(word)));
  const after = words.findIndex((word, i) => !isVersion(word) && (known(word, i) || !/^\p{L}/u.test(word)));
  let own = after < 0 ? words.length : after;
  if (after < 0) while (own > 0 && isVersion(words[own - 1]!)) own--;
  return words.slice(own).filter(isVersion).join('-');
}
