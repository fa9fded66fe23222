// Where the hub is, where its cache lies and who asks: options first, then the environment variables of
// huggingface_hub (HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE).
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface HubOptions {
  /** Folder that holds `models--…` folders. */
  cacheDir?: string;
  token?: string;
  /** Use the cache only. */
  offline?: boolean;
  /** Base URL of the hub. */
  endpoint?: string;
}

export interface HubSettings {
  readonly cacheDir: string;
  readonly token?: string;
  readonly offline: boolean;
  /** Without a slash at the end. */
  readonly endpoint: string;
}

export async function hubSettings(
  options: HubOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<HubSettings> {
  const home = expandHome(env.HF_HOME || join(env.XDG_CACHE_HOME || '~/.cache', 'huggingface'));
  const cacheDir = options.cacheDir ?? expandHome(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub'));
  const endpoint = options.endpoint ?? (env.HF_ENDPOINT || 'https://huggingface.co');
  return {
    cacheDir,
    token: options.token ?? (env.HF_TOKEN || (await storedToken(env.HF_TOKEN_PATH || join(home, 'token')))),
    offline: options.offline ?? /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    endpoint: endpoint.replace(/\/+$/, ''),
  };
}

/** What `hf auth login` stored, if anything. */
async function storedToken(path: string): Promise<string | undefined> {
  const text = await readFile(expandHome(path), 'utf8').catch(() => '');
  return text.trim() || undefined;
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
