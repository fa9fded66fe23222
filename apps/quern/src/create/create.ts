// `quern create`: a model of another one by a Modelfile, as clients of a server create them.
import { createReadStream, existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { CreatedModels, createdName, isGguf, locateCheckpoint, modelsOf } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { ApiError, type Base, createModel, createRequestOf } from '@quern/serve-command/server';
import { cachedRepositories, digestOfFile, hubSettings, readInputFile, receiveBlob } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  downloadProgress,
  printJson,
  printLine,
  progressMode,
} from '@quern/terminal';
import { type ModelfileRequest, requestOf } from './create-request.ts';
import { type Instruction, malformed, parseModelfile } from './modelfile.ts';

export interface CreateOptions {
  file: string;
  quantize?: string;
  json?: boolean;
  quiet?: boolean;
}

/** @throws QuernError `modelfile-unreadable`, `modelfile-malformed` and others with their line, `create-name-taken`, those of locating and of writing */
export async function create(given: string, options: CreateOptions, context: CommandContext): Promise<undefined> {
  const { file, quantize } = options;
  const name = createdName(given);
  const { cacheDir } = await hubSettings({});
  const created = new CreatedModels(cacheDir);
  await requireFreeName(name, cacheDir);
  const text = (await readInputFile(file, 'Modelfile', 'modelfile-unreadable')).toString();
  const said = requestOf(parseModelfile(text, file), file);
  const base = await baseOf(said.from, file, created, options, context);
  try {
    const adapters = await takenIn(said, file, created, context.signal);
    const request = createRequestOf({ ...said.request, adapters, quantize });
    const model = await followed(createModel(name, request, base, created, context.signal), options);
    context.signal.throwIfAborted();
    await created.put(model);
    if (options.json) printJson({ name, from: base.from, weights: model.weights });
    else printLine(`created ${name}: quern serve ${name}`);
  } catch (error) {
    throw withLine(error, said, file);
  }
}

/** A name that the cache has already would stand for two. */
async function requireFreeName(name: string, cacheDir: string): Promise<void> {
  const cached = (await Promise.all((await cachedRepositories(cacheDir)).map(modelsOf))).flat();
  if (!cached.some((model) => model.name.toLowerCase() === name.toLowerCase())) return;
  throw new QuernError('create-name-taken', `There is a model of the hub called ${JSON.stringify(name)} already.`, {
    remedy: 'Choose another name.',
  });
}

/** A path, seen from the Modelfile; a model that was created before; or one of the hub. */
async function baseOf(
  { text, line }: Instruction,
  file: string,
  created: CreatedModels,
  options: CreateOptions,
  context: CommandContext,
): Promise<Base> {
  const beside = resolve(dirname(file), text);
  const before = existsSync(beside) ? undefined : await created.find(text.replace(/:latest$/, ''));
  if (before) {
    const { from, weights } = before;
    const path =
      'reference' in weights
        ? (await locateCheckpoint(weights.reference, context)).path
        : await created.pathOf(weights);
    return { from, weights, path, created: before };
  }
  const reference = existsSync(beside) ? beside : text;
  const download = downloadProgress(progressMode(options));
  const { path } = await locateCheckpoint(reference, { ...context, ...download.watch }).catch((error: unknown) => {
    if (!(error instanceof QuernError) || error.code === 'interrupted') throw error;
    throw malformed(line, `FROM ${text}: ${error.message.replace(/\.$/, '')}`, file, error.remedy);
  });
  download.finish();
  // A file is called by its place wherever it is listed; what was chosen in a folder is the file.
  return existsSync(beside)
    ? { from: basename(path).replace(/\.gguf$/i, ''), weights: { reference: path }, path }
    : { from: text, weights: { reference: text }, path };
}

/** The files of adapters, kept for the model as those that clients send. @returns digests by name */
async function takenIn(
  { adapters, lines }: ModelfileRequest,
  file: string,
  created: CreatedModels,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const taken: Record<string, string> = {};
  for (const { text, line } of adapters) {
    const path = resolve(dirname(file), text);
    if (!(await isGguf(path).catch(() => false)))
      throw malformed(line, `ADAPTER ${text} is no GGUF file`, file, 'quern convert-lora makes one of a PEFT folder.');
    const name = basename(path);
    if (name in taken) throw malformed(line, `two adapters are called ${name}`, file);
    const digest = await digestOfFile(path, signal);
    await receiveBlob(created.blobs, digest, createReadStream(path), { signal });
    taken[name] = digest;
    (lines as Map<string, number>).set(`adapters.${name}`, line);
  }
  return taken;
}

/** Shows how far it is, and gives what comes of it. */
async function followed<Made>(
  states: AsyncGenerator<{ status: string; total?: number; completed?: number }, Made>,
  options: CreateOptions,
): Promise<Made> {
  const progress = createProgress({ title: 'create', mode: progressMode(options) });
  try {
    for (;;) {
      const { done, value } = await states.next();
      if (done) return value;
      if (value.total) progress.update({ done: value.completed ?? 0, total: value.total, label: value.status });
    }
  } finally {
    progress.finish();
  }
}

/** What is wrong with a field, where the Modelfile says it. */
function withLine(error: unknown, { lines }: ModelfileRequest, file: string): unknown {
  if (!(error instanceof ApiError)) return error;
  const field = error.param ?? '';
  const line = [...lines].find(([name]) => field === name || field.startsWith(`${name}.`))?.[1];
  const code = error.code.replaceAll('_', '-');
  return line === undefined
    ? new QuernError(code, error.message)
    : new QuernError(code, `Line ${line}: ${error.message}`, { file });
}
