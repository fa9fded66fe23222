// A model that somebody made of another one: the other's weights, or files of his own, and what its requests begin with. What its
// texts and numbers mean is for whoever serves it; here is how it is written down.
import { QuernError } from '@quern/errors';

export interface CreatedModel {
  /** What people call it. */
  readonly name: string;
  /** What it was made from, as that was called when it was made. */
  readonly from?: string;
  readonly weights:
    | { /** What `locateCheckpoint` takes: a hub id, an absolute path. */ readonly reference: string }
    | OwnWeights;
  readonly adapters: readonly CreatedFile[];
  /** Jinja, in place of the one in the file. */
  readonly template?: string;
  readonly system?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly messages: readonly CreatedMessage[];
  readonly license: readonly string[];
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

/** A GGUF file; or the files of a folder: splits, a checkpoint. */
export type OwnWeights = { readonly digest: string } | { readonly files: readonly CreatedFile[] };

export interface CreatedFile {
  /** As it was called where it came from. */
  readonly name: string;
  readonly digest: string;
}

export type CreatedMessage = Readonly<Record<string, unknown>> & { readonly role: string };

/** Of the form below. */
const formVersion = 1;

export const manifestText = (model: CreatedModel): string =>
  `${JSON.stringify({ version: formVersion, ...model }, null, 1)}\n`;

/** @throws QuernError `manifest-damaged`: a file that was edited, cut, or written by a later version */
export function parseManifest(text: string, file: string): CreatedModel {
  const damaged = (what: string): QuernError =>
    new QuernError('manifest-damaged', `The description of a created model cannot be used: ${what}.`, {
      file,
      remedy: 'Delete the file, and create the model again.',
    });
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw damaged('it is no JSON');
  }
  if (!isRecord(read)) throw damaged('it is no object');
  if (read.version !== formVersion) throw damaged(`its form is ${JSON.stringify(read.version)}, not ${formVersion}`);
  for (const [field, isRight] of fields) if (!isRight(read[field])) throw damaged(`${field} is missing or wrong`);
  const { version: _, ...model } = read;
  return model as unknown as CreatedModel;
}

type Check = (value: unknown) => boolean;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isDigest: Check = (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const isFile: Check = (value) => isRecord(value) && isText(value.name) && isDigest(value.digest);
const isFolder: Check = (value) => listOf(isFile)(value) && (value as unknown[]).length > 0;

const fields: readonly (readonly [string, Check])[] = [
  ['name', isText],
  ['from', maybe(isText)],
  [
    'weights',
    (value) => isRecord(value) && (isText(value.reference) || isDigest(value.digest) || isFolder(value.files)),
  ],
  ['adapters', listOf(isFile)],
  ['template', maybe(isText)],
  ['system', maybe(isText)],
  ['parameters', isRecord],
  ['messages', listOf((value) => isRecord(value) && isText(value.role))],
  ['license', listOf(isText)],
  ['createdMs', (value) => typeof value === 'number'],
];
