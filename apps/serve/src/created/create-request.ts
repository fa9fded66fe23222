// What a client may say of a model that is to be created, in the field names of Ollama's /api/create, and what it is told.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { listOf } from '../large-shapes.ts';
import { modelOptions } from '../models/model-options.ts';
import { messageShape } from '../ollama/messages.ts';

/** By the names that the files have where they come from. */
const digests = z.record(z.string().min(1).max(255), z.string()).nullish();

export const createFields = {
  from: z.string().nullish(),
  files: digests,
  adapters: digests,
  template: z.string().nullish(),
  system: z.string().nullish(),
  parameters: modelOptions.nullish(),
  messages: listOf(messageShape).nullish(),
  license: z.union([z.string(), listOf(z.string())], 'expected a text or a list of them').nullish(),
  quantize: z.string().nullish(),
  /** Its name in older clients. */
  quantization: z.string().nullish(),
};

const createShape = z.looseObject(createFields);
export type CreateRequest = z.infer<typeof createShape>;

/** @throws ApiError 400 with the field */
export function createRequestOf(value: unknown): CreateRequest {
  const parsed = createShape.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const param = issue.path.join('.');
  throw new ApiError(400, 'invalid_value', `${param}: ${issue.message}.`, { param });
}

/** Names that `parameters` may have. */
export const parameterNames: readonly string[] = Object.keys(modelOptions.shape);

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** What a model of Ollama's may have besides, and one of ours has not. */
export const refusedCreateFields = [
  ['modelfile', 'Send what it says as fields; quern create reads it.'],
  ['path', 'Send files as blobs (POST /api/blobs/<digest>), and name their digests in files.'],
  ['renderer', 'How messages are written is read off the model’s own template.'],
  ['parser', 'How replies are read is read off the model’s own template.'],
  ['info', 'What a model is stands in its file.'],
  ['remote_host', 'Models run here.'],
  ['draft', 'A draft model is named when the server is started (--model-draft).'],
  ['draft_files', 'A draft model is named when the server is started (--model-draft).'],
  ['draft_quantize', 'A draft model is named when the server is started (--model-draft).'],
].map(([field, why]) => ({ field: field!, why: why!, asks: given }));

/** A line of Ollama's for a person, with numbers where something takes long. */
export interface CreateState {
  readonly status: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
}
