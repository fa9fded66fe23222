// The text of a request's body.
import type { Context } from 'hono';
import { ApiError } from '../api-error.ts';
import { keepForLog } from './request-log.ts';

/** Bytes that are no UTF-8 are refused: replaced ones would ask for something else. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws ApiError 400 `body_incomplete` when the client ends or leaves before, `invalid_json` when it is no UTF-8 */
export async function bodyText(context: Context): Promise<string> {
  const bytes = await context.req.raw.arrayBuffer().catch(() => {
    throw new ApiError(400, 'body_incomplete', 'The connection ended before the whole request had come.');
  });
  try {
    const text = utf8.decode(bytes);
    keepForLog(context, text);
    return text;
  } catch {
    throw new ApiError(400, 'invalid_json', 'The request body is not UTF-8, as JSON must be.');
  }
}
