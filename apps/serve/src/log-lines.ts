// What the log says: a line a request, a line a failure of the server's own, as text or as JSON.
import { formatDuration, printNote, toJson } from '@quern/terminal';
import type { ApiError } from './api-error.ts';
import type { RequestRecord } from './http/request-log.ts';

export interface Log {
  onRequest(record: RequestRecord): void;
  onFailure(failure: ApiError): void;
}

export const textLog: Log = {
  onRequest({ method, path, status, ms, generations, contents }) {
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
  onRequest: (request) => printNote(toJson({ request })),
  onFailure: ({ code, message }) => printNote(toJson({ failure: { code, message } })),
};
