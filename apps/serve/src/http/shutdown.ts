// The end of a server's life, as requests see it: first no new ones (`closing`), then, when those that run have had their time, none at
// all (`stopping`). Either way a client is told, and not just cut off.
import { ApiError } from '../api-error.ts';

/** @throws ApiError 503 */
export function notWhileClosing(closing: AbortSignal): void {
  if (!closing.aborted) return;
  // Whoever comes again comes to another server, over another connection.
  throw new ApiError(503, 'shutting_down', 'The server is shutting down.', {
    headers: { 'retry-after': '5', connection: 'close' },
  });
}

export const stopped = (): ApiError =>
  new ApiError(503, 'shutting_down', 'The server shut down before the reply was complete.', {
    headers: { 'retry-after': '5', connection: 'close' },
  });

/** @throws ApiError 503 as soon as `stopping` is aborted */
export async function untilStopped<Value>(work: Value | Promise<Value>, stopping: AbortSignal): Promise<Value> {
  if (!(work instanceof Promise)) return work;
  let stop = (): void => {};
  const stops = new Promise<never>((_, reject) => {
    stop = () => reject(stopped());
  });
  stopping.addEventListener('abort', stop);
  try {
    return await Promise.race([work, stops]);
  } finally {
    stopping.removeEventListener('abort', stop);
  }
}
