// One record a request, when its response has ended: what was asked, by which model, how it went. What was said stays out of it
// unless contents are asked for; looking at them changes neither bytes nor order of an answer.
import type { Context, MiddlewareHandler } from 'hono';
import type { GenerationRecord } from '../generate/generation.ts';
import type { ServerBindings } from './streamed-response.ts';

export interface RequestRecord {
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  /** 499 when the client left before the end. */
  readonly status: number;
  readonly ms: number;
  /** What it generated. */
  readonly generations: readonly GenerationRecord[];
  readonly contents?: RequestContents;
}

export interface RequestContents {
  /** The body as it came; undefined when it was not read. */
  request?: string;
  response: string;
}

/** Of each direction; the rest is left out. */
const mostContents = 65_536;

interface OpenRequest {
  readonly generations: GenerationRecord[];
  readonly contents?: RequestContents;
}

const variable = 'openRequest';

export class RequestLog {
  readonly #withContents: boolean;
  readonly #onRequest: (record: RequestRecord) => void;
  readonly #open = new WeakMap<AbortSignal, OpenRequest>();

  constructor(onRequest: (record: RequestRecord) => void, withContents: boolean) {
    this.#onRequest = onRequest;
    this.#withContents = withContents;
  }

  /** The first of all handlers. */
  readonly start: MiddlewareHandler<{ Bindings: ServerBindings }> = async (context, next) => {
    const startMs = performance.now();
    const { method, url } = context.req;
    // As it came: decoded, it may break lines.
    const path = new URL(url).pathname;
    const open: OpenRequest = { generations: [], ...(this.#withContents && { contents: { response: '' } }) };
    context.set(variable as never, open as never);
    const { outgoing } = context.env;
    outgoing.once('close', () => {
      const status = outgoing.writableFinished ? outgoing.statusCode : 499;
      this.#onRequest({ method, path, status, ms: performance.now() - startMs, ...open });
    });
    const { contents } = open;
    if (contents) context.env.onText = (text) => keepResponse(contents, text);
    await next();
    const { body } = context.res;
    if (contents && body) context.res = new Response(body.pipeThrough(copier(contents)), context.res);
  };

  /** Behind what may replace the request: from here on its signal is the one that generations have. */
  readonly bind: MiddlewareHandler = (context, next) => {
    const open = openRequest(context);
    if (open) this.#open.set(context.req.raw.signal, open);
    return next();
  };

  /** Adds a generation to the request that it belongs to. */
  count(record: GenerationRecord, signal: AbortSignal): void {
    this.#open.get(signal)?.generations.push(record);
  }
}

const openRequest = (context: Context): OpenRequest | undefined => context.get(variable as never);

/** Keeps a body for the log if its contents are asked for. */
export function keepForLog(context: Context, text: string): void {
  const contents = openRequest(context)?.contents;
  if (contents) contents.request = text.slice(0, mostContents);
}

function keepResponse(contents: RequestContents, text: string): void {
  if (contents.response.length < mostContents) contents.response += text;
}

function copier(contents: RequestContents): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  return new TransformStream({
    transform(chunk, controller) {
      keepResponse(contents, decoder.decode(chunk, { stream: true }));
      controller.enqueue(chunk);
    },
  });
}
