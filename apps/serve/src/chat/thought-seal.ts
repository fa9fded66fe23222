// What a client is given beside a thought, and gives back with it: Anthropic's `signature`, OpenAI's `encrypted_content`.
// It tells a thought that comes back changed, and where the client wants no text it carries the text itself. It is no
// secret: whoever talks to this server may put any words into a conversation. It therefore holds on every quern, also
// after a restart. Seals of other makers pass; nothing can be checked by them.
import { createHash } from 'node:crypto';
import { ApiError } from '../api-error.ts';

const maker = 'quern1';
const digestOf = (text: string): string => createHash('sha256').update('thought\0').update(text).digest('base64url');

/** @param carries whether the seal stands for the text, because the client does not get it otherwise */
export function sealThought(text: string, carries = false): string {
  const seal = `${maker}.${digestOf(text)}`;
  return carries ? `${seal}.${Buffer.from(text).toString('base64url')}` : seal;
}

/**
 * The thought that a client gives back, as text or in its seal.
 * @param param the field of the seal
 * @returns undefined when nobody here can read it
 * @throws ApiError 400 when it is not what was sealed
 */
export function openThought(
  text: string | undefined,
  seal: string | null | undefined,
  param: string,
): string | undefined {
  const [made, digest, carried] = seal?.split('.') ?? [];
  if (made !== maker) return text || undefined;
  const thought = text || (carried === undefined ? undefined : Buffer.from(carried, 'base64url').toString());
  if (thought === undefined || digestOf(thought) === digest) return thought;
  const message = `${param}: this thought is not the one that was given out; give back thoughts as they were, or leave them out.`;
  throw new ApiError(400, 'invalid_value', message, { param });
}
