// llama-perplexity's base file (--kl-divergence-base): the tokens of a text and what a model thought of each, so that
// other models can be compared with it later. Little-endian, no padding:
//   "_logits_" | i32 contextTokens | i32 vocab | i32 windows | i32 tokens[windows · contextTokens]
//   then per window contextTokens - 1 - ⌊contextTokens/2⌋ rows (base-row.ts): those that profile llama.cpp-512 scores
// Tokens are those of the text; BOS comes in when they are evaluated.
import { createHash } from 'node:crypto';
import { QuernError } from '@quern/errors';
import { createFileSink, openFile, type Source } from '@quern/source';
import { defaultProfile } from '../windows/profiles.ts';
import { type WindowPlan, windowPlan } from '../windows/window-plan.ts';
import type { BaseLogProbs } from './base.ts';
import { baseRowBytes, decodeBaseRow, encodeBaseRow } from './base-row.ts';

const magic = '_logits_';
const headBytes = 20;
/** Above all models that exist; keeps sizes exact. */
const maxContext = 1 << 24;
const maxVocab = 1 << 24;

export interface BaseFileHead {
  readonly contextTokens: number;
  readonly vocabSize: number;
  readonly windows: number;
}

const rowsPerWindow = (contextTokens: number): number => contextTokens - 1 - Math.floor(contextTokens / 2);

const offsetOfWindow = ({ contextTokens, vocabSize, windows }: BaseFileHead, index: number): number =>
  headBytes + 4 * windows * contextTokens + index * rowsPerWindow(contextTokens) * baseRowBytes(vocabSize);

export const baseFileBytes = (head: BaseFileHead): number => offsetOfWindow(head, head.windows);

export interface BaseFile extends BaseFileHead, BaseLogProbs {
  readonly path: string;
  /** [windows · contextTokens] */
  readonly tokens: Int32Array;
  /** The windows whose rows it holds. */
  readonly plan: WindowPlan;
  /** SHA-256 over the head, the tokens and the first row of every window. */
  fingerprint(): Promise<string>;
  close(): Promise<void>;
}

/**
 * @throws QuernError `base-file-not-recognized`, `base-file-truncated`, `base-file-damaged`; reading rows may also
 *   throw the last
 */
export async function openBaseFile(path: string): Promise<BaseFile> {
  const source = await openFile(path);
  try {
    const head = await readHead(source);
    const tokens = await readTokens(source, head);
    const plan = windowPlan({ profile: defaultProfile, contextTokens: head.contextTokens, maxWindows: head.windows });
    return {
      ...head,
      path,
      tokens,
      plan,
      rows: (index) => readRows(source, head, index),
      fingerprint: () => fingerprintOf(source, head),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readHead(source: Source): Promise<BaseFileHead> {
  const file = source.name;
  const bytes = await source.read(0, Math.min(headBytes, source.size));
  if (new TextDecoder('latin1').decode(bytes.subarray(0, magic.length)) !== magic || bytes.length < headBytes)
    throw new QuernError('base-file-not-recognized', 'The file holds no log probabilities of a base model.', {
      file,
      remedy: 'Give a file that --save-base or llama-perplexity --kl-divergence-base wrote.',
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const number = (offset: number, what: string, min: number, max: number): number => {
    const value = view.getInt32(offset, true);
    if (value >= min && value <= max) return value;
    throw damaged(file, offset, `its ${what} is ${value}`);
  };
  const head: BaseFileHead = {
    contextTokens: number(8, 'context', 3, maxContext),
    vocabSize: number(12, 'vocabulary size', 1, maxVocab),
    windows: number(16, 'number of windows', 1, 2 ** 31 - 1),
  };
  const size = baseFileBytes(head);
  if (source.size < size)
    throw new QuernError('base-file-truncated', `The file has ${source.size} bytes; its head announces ${size}.`, {
      file,
      remedy: 'The file is incomplete: fetch or make it again.',
    });
  if (source.size > size) throw damaged(file, size, `${source.size - size} bytes follow its end`);
  return head;
}

async function readTokens(source: Source, { contextTokens, vocabSize, windows }: BaseFileHead): Promise<Int32Array> {
  const bytes = await source.read(headBytes, 4 * windows * contextTokens);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Int32Array.from({ length: windows * contextTokens }, (_, i) => {
    const token = view.getInt32(4 * i, true);
    if (token >= 0 && token < vocabSize) return token;
    throw damaged(source.name, headBytes + 4 * i, `token ${token} is not in a vocabulary of ${vocabSize}`);
  });
}

async function* readRows(source: Source, head: BaseFileHead, index: number): AsyncGenerator<Float32Array, undefined> {
  const rowBytes = baseRowBytes(head.vocabSize);
  const bytes = new Uint8Array(rowBytes);
  const row = new Float32Array(head.vocabSize);
  let offset = offsetOfWindow(head, index);
  for (const end = offsetOfWindow(head, index + 1); offset < end; offset += rowBytes) {
    await source.readInto(bytes, offset);
    if (!decodeBaseRow(bytes, row)) throw damaged(source.name, offset, 'scale or minimum of a row are out of range');
    yield row;
  }
  return undefined;
}

async function fingerprintOf(source: Source, head: BaseFileHead): Promise<string> {
  const hash = createHash('sha256').update(await source.read(0, offsetOfWindow(head, 0)));
  for (let index = 0; index < head.windows; index++)
    hash.update(await source.read(offsetOfWindow(head, index), baseRowBytes(head.vocabSize)));
  return hash.digest('hex');
}

const damaged = (file: string, offset: number, what: string): QuernError =>
  new QuernError('base-file-damaged', `The base file is damaged: ${what}.`, {
    file,
    offset,
    remedy: 'Make it again with --save-base.',
  });

export interface BaseFileWriter {
  /** Rows of a window, [rows, vocab], in order. */
  writeRows(index: number, firstRow: number, logits: Float32Array): Promise<void>;
  finish(): Promise<void>;
  /** Removes what was written. Does nothing after `finish`. */
  abort(): Promise<void>;
}

/**
 * Under a temporary name until `finish`.
 * @param tokens [at least windows · contextTokens]
 */
export async function createBaseFile(path: string, head: BaseFileHead, tokens: Int32Array): Promise<BaseFileWriter> {
  const { contextTokens, vocabSize, windows } = head;
  const sink = await createFileSink(path, baseFileBytes(head));
  const start = new Uint8Array(headBytes + 4 * windows * contextTokens);
  start.set(new TextEncoder().encode(magic));
  const view = new DataView(start.buffer);
  for (const [i, value] of [contextTokens, vocabSize, windows].entries()) view.setInt32(8 + 4 * i, value, true);
  for (let i = 0; i < windows * contextTokens; i++) view.setInt32(headBytes + 4 * i, tokens[i]!, true);
  await sink.write(start, 0).catch(async (error) => {
    await sink.abort();
    throw error;
  });
  const rowBytes = baseRowBytes(vocabSize);
  return {
    async writeRows(index, firstRow, logits) {
      const rows = logits.length / vocabSize;
      const bytes = new Uint8Array(rows * rowBytes);
      for (let row = 0; row < rows; row++) {
        const values = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
        encodeBaseRow(values, bytes.subarray(row * rowBytes, (row + 1) * rowBytes));
      }
      await sink.write(bytes, offsetOfWindow(head, index) + firstRow * rowBytes);
    },
    finish: () => sink.finish(),
    abort: () => sink.abort(),
  };
}
