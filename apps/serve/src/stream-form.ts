// How an API writes a stream: server-sent events with or without names, or a JSON document a line.
import type { ApiError } from './api-error.ts';

export interface StreamForm {
  readonly contentType: string;
  /** The text of one value. */
  write(value: unknown): string;
  /** What ends a stream that went well. */
  readonly end: string;
  /** What ends one that failed after its headers were out. */
  failure(error: ApiError): string;
  /** What every client passes over: proxies cut silent connections. */
  readonly ping: string;
}

const eventType = 'text/event-stream';
const ping = ': ping\n\n';

/** OpenAI's: `data: <json>`, `data: [DONE]` at the end; a failure is an `error` object, on which its SDKs throw. */
export const openAiStream: StreamForm = {
  contentType: eventType,
  write: (value) => `data: ${JSON.stringify(value)}\n\n`,
  end: 'data: [DONE]\n\n',
  failure: (error) => `data: ${JSON.stringify(error.body())}\n\n`,
  ping,
};

/**
 * Events that have their `type` as name too, and no word at the end: Anthropic's, and OpenAI's Responses.
 * @param failureBody the event that tells of a failure
 * @param pingEvent what stands for a ping. Default: a comment
 */
export const namedEventStream = (failureBody: (error: ApiError) => NamedEvent, pingEvent?: NamedEvent): StreamForm => {
  const write = (value: unknown): string => `event: ${(value as NamedEvent).type}\ndata: ${JSON.stringify(value)}\n\n`;
  return {
    contentType: eventType,
    write,
    end: '',
    failure: (error) => write(failureBody(error)),
    ping: pingEvent ? write(pingEvent) : ping,
  };
};

interface NamedEvent {
  readonly type: string;
}

/** Ollama's: a JSON document a line. Its readers know no comment: an empty line is passed over. */
export const lineStream: StreamForm = {
  contentType: 'application/x-ndjson',
  write: (value) => `${JSON.stringify(value)}\n`,
  end: '',
  failure: (error) => `${JSON.stringify({ error: error.message })}\n`,
  ping: '',
};
