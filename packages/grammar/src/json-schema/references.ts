// `$ref`: pointers, `$id`s and anchors within the document. Nothing is fetched.
import { isObject, type Place, refuse, type Schema, schemaAt, stringOf } from './schema.ts';

const nowhere = 'quern:///';
const maxDepth = 500;
/** Keywords under which no schema stands. */
const data = new Set(['enum', 'const', 'default', 'examples']);
/** Keywords under which names stand, and schemas under these. */
const named = new Set(['$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas', 'dependencies']);
/** Keywords under which a schema stands, or a list of them. Under others, `$id` and anchors are words like any other. */
const holding = new Set([
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'items', 'prefixItems', 'additionalItems', 'contains'],
  ...['additionalProperties', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties', 'contentSchema'],
]);

type Standing = 'schema' | 'names' | 'words';
const below = (standing: Standing, key: string): Standing => {
  if (standing === 'names') return 'schema';
  if (standing === 'words') return 'words';
  return named.has(key) ? 'names' : holding.has(key) ? 'schema' : 'words';
};

export class References {
  readonly #root: Place;
  readonly #known = new Map<string, Place>();
  /** Anchors that mean another schema in another scope. */
  #dynamic = 0;
  readonly #bases = new Map<object, string>();

  constructor(root: Schema) {
    this.#root = { schema: root, path: '#' };
    this.#index(root, '#', nowhere, 'schema', 0);
  }

  /** @throws QuernError `schema-unsupported` when the document does not hold what is referred to */
  target(place: Place, name: string): Place {
    const reference = stringOf(place, name)!;
    if (name !== '$ref' && this.#dynamic > 1)
      refuse(place, name, 'which of several anchors it means depends on the way that led there');
    const base = this.#bases.get(place.schema as object) ?? nowhere;
    const url = resolved(reference, base);
    if (!url) return refuse(place, name, `${JSON.stringify(reference)} is no reference`);
    const { hash } = url;
    // "#" is the document itself, and URL keeps its empty fragment in href alone.
    const href = url.href.replace(/#$/, '');
    const known = this.#known.get(href);
    if (known) return known;
    const document = this.#known.get(href.replace(/#.*$/, ''));
    const found = document && follow(document, hash);
    return (
      found ?? refuse(place, name, `the document does not hold ${JSON.stringify(reference)}, and nothing is fetched`)
    );
  }

  #index(value: unknown, path: string, outer: string, standing: Standing, depth: number): void {
    if (depth > maxDepth) refuse(this.#root, '$defs', `schemas nest deeper than ${maxDepth}`);
    if (Array.isArray(value))
      for (const [i, item] of value.entries()) this.#index(item, `${path}/${i}`, outer, standing, depth + 1);
    if (!isObject(value)) return;
    const means = standing === 'schema';
    const id = !means
      ? undefined
      : typeof value.$id === 'string'
        ? value.$id
        : typeof value.id === 'string'
          ? value.id
          : undefined;
    const url = id === undefined ? undefined : resolved(id, outer);
    const base = url ? url.href : outer;
    this.#bases.set(value, base);
    const place = { schema: value, path };
    if (path === '#') this.#known.set(nowhere, place);
    if (path === '#' || url) this.#known.set(base.replace(/#.*$/, ''), place);
    if (url?.hash) this.#known.set(url.href, place);
    if (means && (typeof value.$dynamicAnchor === 'string' || value.$recursiveAnchor === true)) this.#dynamic++;
    for (const anchor of [value.$anchor, value.$dynamicAnchor])
      if (means && typeof anchor === 'string') this.#known.set(`${base.replace(/#.*$/, '')}#${anchor}`, place);
    for (const [key, member] of Object.entries(value))
      if (standing === 'names' || !data.has(key)) {
        const inner = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        this.#index(member, inner, base, below(standing, key), depth + 1);
      }
  }
}

/** What a JSON pointer leads to; undefined: nothing. */
export const placeAt = (document: Place, pointer: string): Place | undefined => follow(document, `#${pointer}`);

function follow(document: Place, hash: string): Place | undefined {
  let value: unknown = document.schema;
  for (const escaped of decode(hash.slice(1)).split('/').slice(1)) {
    const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  const isPointer = hash === '' || hash === '#' || hash.startsWith('#/');
  return isPointer ? schemaAt(value, `${document.path}${hash.slice(1)}`) : undefined;
}

function resolved(reference: string, base: string): URL | undefined {
  try {
    return new URL(reference, base);
  } catch {
    return undefined;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
