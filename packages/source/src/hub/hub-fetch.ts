// `fetch` for the hub's JSON endpoints: the token goes to the hub's own origin only, failures that may pass are tried
// again, and what is left becomes a named error.
import { QuernError } from '@quern/errors';
import type { HttpOptions } from '../http-range.ts';
import type { HubSettings } from './settings.ts';

export function hubFetch({ endpoint, token }: HubSettings, http: HttpOptions): typeof fetch {
  const { attempts = 5, retryMs = 500, stallMs = 30_000 } = http;
  const origin = new URL(endpoint).origin;

  return async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    if (token && new URL(url).origin === origin) headers.set('authorization', `Bearer ${token}`);
    let lastError: unknown;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, retryMs * 2 ** (attempt - 1)));
      http.signal?.throwIfAborted();
      const timeout = AbortSignal.timeout(stallMs);
      try {
        const response = await (http.fetch ?? fetch)(url, {
          ...init,
          headers,
          signal: http.signal ? AbortSignal.any([http.signal, timeout]) : timeout,
        });
        if (response.status !== 429 && response.status < 500) return response;
        lastError = new Error(`status ${response.status}`);
        await response.body?.cancel();
      } catch (error) {
        http.signal?.throwIfAborted();
        lastError = error;
      }
    }
    throw new QuernError('hub-unreachable', `The hub did not answer: ${(lastError as Error).message}.`, {
      file: url,
      cause: lastError,
      remedy: 'Check the network; with HF_HUB_OFFLINE=1 a model that was fetched before is used as it is.',
    });
  };
}

/** An error of @huggingface/hub or of `readRange`, told in terms of the repository. */
export function hubError(error: unknown, repo: string, revision: string): unknown {
  const status = (error as { statusCode?: number }).statusCode;
  const code = error instanceof QuernError ? error.code : undefined;
  const message = (error as Error).message;
  if (status === 401 || status === 403 || code === 'http-unauthorized') {
    return new QuernError('hub-unauthorized', `No access to ${repo}: ${message}.`, {
      cause: error,
      remedy: 'Check the id; for a private or gated model accept its terms on the hub and set HF_TOKEN.',
    });
  }
  if (status === 404 || code === 'http-not-found') {
    return new QuernError('hub-not-found', `No model ${repo} at revision ${revision}: ${message}.`, {
      cause: error,
      remedy: 'Check the id and the revision.',
    });
  }
  if (status !== undefined) {
    return new QuernError('hub-failed', `The hub refused: ${message}.`, { cause: error });
  }
  return error;
}
