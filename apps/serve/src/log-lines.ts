// What the log says: a line a request (but for looks at /health), a line a failure of the server's own, as text or as JSON.
import { formatDuration, printNote, toJson } from '@quern/terminal';
import type { ApiError } from './api-error.ts';
import type { RequestRecord } from './http/request-log.ts';

export interface Log {
  onRequest(record: RequestRecord): void;
  onFailure(failure: ApiError): void;
}

/** Who watches a server asks every few seconds, and has the answer. */
const isProbe = ({ path, status }: RequestRecord): boolean =>
  /^(\/v1)?\/health\/?$/.test(path) && (status === 200 || status === 503);

export const textLog: Log = {
  onRequest(request) {
    if (isProbe(request)) return;
    const { method, path, status, ms, generations, contents } = request;
    const said = generations.map(({ model, finishReason, promptTokens, cachedTokens, completionTokens }) => {
      const cached = cachedTokens > 0 ? ` (${cachedTokens} cached)` : '';
      return `, ${model} ${finishReason}: ${promptTokens} prompt${cached} + ${completionTokens} reply tokens`;
    });
    printNote(`${method} ${path} ${status}${said.join('')}, ${formatDuration(ms)}`);
    if (contents?.request !== undefined) printNote(`  asked: ${toJson(contents.request)}`);
    if (contents) printNote(`  answered: ${toJson(contents.response)}`);
  },
  onFailure: ({ code, message }) => printNote(`failure: ${code}: ${message}`),
};

export const jsonLog: Log = {
  onRequest(request) {
    if (!isProbe(request)) printNote(toJson({ request }));
  },
  onFailure: ({ code, message }) => printNote(toJson({ failure: { code, message } })),
};
