// The file of a kept text: what it is, for which model and settings, and a digest of all of it.
//   "QUERNTXT", u32 length of the header, header (JSON), tokens (i32), blocks, snapshots, SHA-256 of everything before
import { QuernError } from '@quern/errors';
import type { KeptText } from './kept-text.ts';

const magic = new TextEncoder().encode('QUERNTXT');
const DIGEST = 32;
const MOST_HEADER_BYTES = 1 << 20;

interface Header {
  readonly fingerprint: string;
  /** Of adapters; none in files without them. */
  readonly scope?: string;
  readonly tokens: number;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Positions. */
  readonly snapshots: readonly number[];
  readonly snapshotBytes: number;
}

export interface StateSizes {
  readonly blockTokens: number;
  readonly blockBytes: number;
  readonly slotBytes: number;
}

export async function encodeText(
  { scope, tokens, blocks, snapshots }: KeptText,
  fingerprint: string,
): Promise<Uint8Array> {
  const header: Header = {
    fingerprint,
    ...(scope !== '' && { scope }),
    tokens: tokens.length,
    ...{ blocks: blocks.length, blockBytes: blocks[0]?.length ?? 0 },
    ...{ snapshots: snapshots.map(({ position }) => position), snapshotBytes: snapshots[0]?.bytes.length ?? 0 },
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(Uint32Array.of(json.length).buffer);
  const ids = new Uint8Array(Int32Array.from(tokens).buffer);
  const body = joined([magic, length, json, ids, ...blocks, ...snapshots.map(({ bytes }) => bytes)]);
  return joined([body, await digest(body)]);
}

/** @throws QuernError `slot-file-damaged`, `slot-file-foreign` */
export async function decodeText(
  bytes: Uint8Array,
  fingerprint: string,
  sizes: StateSizes,
  name: string,
): Promise<KeptText> {
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length); // a Buffer's slices are views
  const body = file.subarray(0, Math.max(0, file.length - DIGEST));
  const isOurs = body.length > 12 && magic.every((byte, i) => body[i] === byte);
  if (!isOurs) throw damaged(name, 'it is no file of a kept text');
  const sum = await digest(body);
  if (!sum.every((byte, i) => file[body.length + i] === byte)) throw damaged(name, 'its digest does not agree');
  const length = new DataView(body.buffer, body.byteOffset).getUint32(8, true);
  if (length > Math.min(MOST_HEADER_BYTES, body.length - 12)) throw damaged(name, 'its header is too long');
  const header = JSON.parse(new TextDecoder().decode(body.subarray(12, 12 + length))) as Header;
  if (header.fingerprint !== fingerprint)
    throw new QuernError('slot-file-foreign', 'This text was computed by another model, or with other settings.', {
      file: name,
      remedy: 'Restore it with the model, the adapters, the cache types and the activations that it was saved with.',
    });
  const { blockTokens, blockBytes, slotBytes } = sizes;
  const { tokens: count, blocks, snapshots, scope = '' } = header;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= body.length;
  if (!(isCount(count) && isCount(blocks) && snapshots.every((position) => isCount(position) && position <= count)))
    throw damaged(name, 'its header makes no sense');
  const wanted = 12 + length + 4 * count + blocks * blockBytes + snapshots.length * slotBytes;
  if (blocks !== Math.ceil(count / blockTokens) || wanted !== body.length) throw damaged(name, 'its length is wrong');
  let at = 12 + length;
  const take = (bytes: number): Uint8Array => body.slice(at, (at += bytes));
  const tokens = Array.from(new Int32Array(take(4 * count).buffer));
  return {
    scope,
    tokens,
    blocks: Array.from({ length: blocks }, () => take(blockBytes)),
    snapshots: snapshots.map((position) => ({ position, bytes: take(slotBytes) })),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const digest = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()));

const damaged = (file: string, why: string): QuernError =>
  new QuernError('slot-file-damaged', `This file cannot be restored: ${why}.`, { file });
