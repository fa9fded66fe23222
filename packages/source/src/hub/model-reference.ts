// What a person types for a model, told apart by its spelling alone. The forms are those of llama.cpp's `-hf`, Ollama,
// huggingface_hub's `hf://` and the addresses of the hub's web pages.
//
//   owner/repo              owner/repo:Q4_K_M            owner/repo/sub/file.gguf     owner/repo@revision
//   hf.co/…                 huggingface.co/…             hf://…                       https://any.host/file.gguf
import { fileURLToPath } from 'node:url';
import { QuernError } from '@quern/errors';

export interface HubReference {
  readonly kind: 'hub';
  /** `owner/name`; of old models `name` alone, which only a full address can say. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision?: string;
  /** A file in the repository, or a folder of it. */
  readonly path?: string;
  /** Which of several GGUF files, e.g. `Q4_K_M`; as it was typed. */
  readonly quant?: string;
  /** Nothing but the spelling says that it is a hub id: it may be a path that does not exist. */
  readonly bare: boolean;
}

export type ModelReference =
  | HubReference
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string };

const defaultEndpoint = 'https://huggingface.co';
const hubHosts: ReadonlySet<string> = new Set(['huggingface.co', 'www.huggingface.co', 'hf.co']);
const weightName = /\.(gguf|safetensors)$/i;

/**
 * @param endpoint base URL of the hub that is in use (HF_ENDPOINT); its pages are known as those of huggingface.co are
 * @throws QuernError `reference-unknown-scheme`, `reference-malformed`
 */
export function parseModelReference(text: string, endpoint = defaultEndpoint): ModelReference {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'hf') return hubId(text.slice('hf://'.length), text, false);
  if (scheme === 'file') return { kind: 'path', path: localPath(text) };
  if (scheme === 'http' || scheme === 'https')
    return hubPage(text, endpoint) ?? { kind: 'url', url: checkedUrl(text).href };
  if (scheme !== undefined) {
    throw new QuernError('reference-unknown-scheme', `Models cannot be read from ${JSON.stringify(`${scheme}://`)}.`, {
      file: text,
      remedy: 'Give a path, a hub id such as owner/name, hf://owner/name or an https:// address.',
    });
  }
  const [host] = text.split('/');
  if (host !== undefined && hubHosts.has(host.toLowerCase()) && text.includes('/'))
    return hubPage(`https://${text}`, endpoint)!;
  return bareId(text) ?? { kind: 'path', path: text };
}

/** `owner/repo…` where nothing speaks for a path. */
function bareId(text: string): HubReference | undefined {
  // What begins so is a path on any system; a name of two parts that ends like a file is one too.
  if (/^[./~]|\\|^[a-z]:/i.test(text) || /^[^/]+\/[^/:@]+\.(gguf|safetensors|bin|json)$/i.test(text)) return undefined;
  const id = splitId(text);
  // Of longer paths only those to a file: a mistyped folder is nothing to ask the hub about.
  if (!id || (id.path !== undefined && !weightName.test(id.path))) return undefined;
  return { kind: 'hub', ...id, bare: true };
}

type Id = Omit<HubReference, 'kind' | 'bare'>;

function hubId(id: string, text: string, bare: boolean): HubReference {
  const found = splitId(id.replace(/\/+$/, ''));
  if (found) return { kind: 'hub', ...found, bare };
  throw malformed(text);
}

/** `owner/repo`, then `/path`, `:quant`, or `@revision` with `/file` or `:quant` behind it. */
function splitId(id: string): Id | undefined {
  const [, repo, rest = ''] = /^([\w.-]+\/[\w.-]+)([/:@].+)?$/s.exec(id) ?? [];
  if (repo === undefined) return undefined;
  const mark = rest[0];
  const tail = rest.slice(1);
  if (mark === '/') return { repo, path: tail };
  if (mark === ':') return quantAndRevision(repo, tail);
  if (mark !== '@') return { repo };
  const [, revision, quant] = /^(.+?):([^:/]+)$/.exec(tail) ?? [];
  if (revision !== undefined) return { repo, revision, quant };
  const [, at, path] = /^(refs\/[^/]+\/[^/]+|[^/]+)\/(.+)$/.exec(tail) ?? [];
  // Branches may have slashes: what follows one is a file only when it looks like one.
  return at !== undefined && weightName.test(path!) ? { repo, revision: at, path } : { repo, revision: tail };
}

function quantAndRevision(repo: string, tail: string): Id | undefined {
  const [, quant, revision] = /^([^@/:]+)(?:@(.+))?$/.exec(tail) ?? [];
  if (quant === undefined) return undefined;
  return { repo, quant, ...(revision !== undefined && { revision }) };
}

/** A page of the hub: of a model, of a revision, of a folder, of a file. Undefined for other hosts. */
function hubPage(text: string, endpoint: string): HubReference | undefined {
  const url = checkedUrl(text);
  const base = checkedUrl(endpoint);
  const prefix = base.pathname.replace(/\/+$/, '');
  const isMirror = url.origin === base.origin && `${url.pathname}/`.startsWith(`${prefix}/`);
  if (!isMirror && !hubHosts.has(url.hostname)) return undefined;
  const parts = decoded(isMirror ? url.pathname.slice(prefix.length) : url.pathname, text)
    .split('/')
    .filter(Boolean);
  if (parts[0] === 'datasets' || parts[0] === 'spaces' || parts[0] === 'collections') {
    throw new QuernError('reference-malformed', `The address is of ${parts[0]}, not of a model.`, { file: text });
  }
  const at = parts.findIndex((part, i) => (i === 1 || i === 2) && /^(blob|resolve|raw|tree)$/.test(part));
  if (at > 0) {
    const after = parts[at + 1] === 'refs' ? at + 4 : at + 2;
    const revision = parts.slice(at + 1, after).join('/');
    const path = parts.slice(after).join('/');
    if (revision === '') throw malformed(text);
    return { kind: 'hub', repo: parts.slice(0, at).join('/'), revision, ...(path && { path }), bare: false };
  }
  // A server that plays the hub may have files of its own beside it.
  if (!hubHosts.has(url.hostname) && weightName.test(parts.at(-1) ?? '')) return undefined;
  if (parts.length === 1 && /^[\w.-]+$/.test(parts[0]!)) return { kind: 'hub', repo: parts[0]!, bare: false };
  const shown = url.searchParams.get('show_file_info');
  return hubId([...parts, ...(shown ? [shown] : [])].join('/'), text, false);
}

function checkedUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw malformed(text);
  }
}

function localPath(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    throw malformed(text);
  }
}

function decoded(pathname: string, text: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    throw malformed(text);
  }
}

const malformed = (text: string): QuernError =>
  new QuernError('reference-malformed', 'The address names no model.', {
    file: text,
    remedy: 'Write owner/name, owner/name:Q4_K_M, owner/name/file.gguf or owner/name@revision.',
  });
