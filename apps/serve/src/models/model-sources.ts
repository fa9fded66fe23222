// The models that a server of many is told of: names on the command line, folders, the cache of the hub, a file of presets.
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import {
  CreatedModels,
  cachedModels,
  folderModels,
  type LocalModel,
  type LocateOptions,
  locateCheckpoint,
} from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { hubSettings, readInputFile } from '@quern/source';
import { printable, printNote } from '@quern/terminal';
import { createdAmong } from '../created/created-among.ts';
import { createdSources } from '../created/created-sources.ts';
import type { ManyModelFlags } from '../many-model-flags.ts';
import { type ModelFlags, readModelFlags } from '../read-model-flags.ts';
import { anyGone, essentialFiles } from './gone-files.ts';
import type { ModelSource } from './many-models.ts';
import { everyModel, parsePresets } from './preset-file.ts';
import { type Preset, readPreset } from './preset-flags.ts';
import { type LoadServedModelOptions, loadServedModel } from './served-model.ts';

export interface SourcesRequest {
  /** What a person typed. */
  readonly models: readonly string[];
  readonly flags: ModelFlags & ManyModelFlags;
  readonly modelsAtOnce: number;
  readonly locate: LocateOptions;
  readonly onReload?: LoadServedModelOptions['onReload'];
}

export interface Sources {
  readonly sources: readonly ModelSource[];
  /** Names of those to be loaded before anybody asks. */
  readonly startup: readonly string[];
  /** Those that lie in the folders now. */
  readonly find: () => Promise<readonly ModelSource[]>;
  /** A model of that name, loaded as the flags say. */
  readonly sourceNamed: (name: string) => ModelSource;
  /** What people created on this machine. */
  readonly created: CreatedModels;
}

/**
 * A preset of the name of a model that is there anyway says how that model is loaded.
 * @throws QuernError `serve-no-models`, `serve-name-twice`, `models-folder-missing`, `preset-…`, and those of `readModelFlags`
 */
export async function readSources(request: SourcesRequest): Promise<Sources> {
  const { models, flags, modelsAtOnce } = request;
  const created = new CreatedModels((await hubSettings({})).cacheDir);
  const named = await createdAmong(models);
  const others = models.filter((model) => !named.has(model.replace(/:latest$/, '')));
  const found: Preset[] = others.map((model) => plain(nameOf(model), model, flags));
  found.push(...(await lyingHere(flags)));
  refuseTwice(found);
  const presets = flags.preset === undefined ? [] : await readPresets(flags.preset, flags);
  const all = new Map(found.map((preset) => [preset.name, asPreset(preset, presets)]));
  for (const preset of presets) if (!all.has(preset.name)) all.set(preset.name, preset);
  const presetsOfAll = [...all.values()];
  const sources = presetsOfAll.map((preset) => sourceOf(preset, modelsAtOnce, request));
  const sourceNamed = (name: string): ModelSource => sourceOf(plain(name, name, flags), modelsAtOnce, request);
  const createdNow = async (onFault?: (fault: string) => void): Promise<ModelSource[]> => {
    const offersAll = flags.modelsCached || flags.allowChanges;
    if (!offersAll && named.size === 0) return [];
    const made = await createdSources(created, sources, sourceNamed, onFault);
    return offersAll ? made : made.filter(({ id }) => named.has(id));
  };
  const atStart = withoutTaken([...sources, ...(await createdNow(noteFault))]);
  if (atStart.length === 0 && !flags.allowChanges)
    throw new QuernError('serve-no-models', 'There are no models to serve.', {
      remedy: 'quern list shows what is here; quern pull fetches.',
    });
  return {
    sources: atStart,
    // A folder that has gone since the start has nothing new.
    find: async () => [
      ...(await lyingHere(flags).catch(() => [])).map((preset) =>
        sourceOf(asPreset(preset, presets), modelsAtOnce, request),
      ),
      ...(await createdNow()),
    ],
    sourceNamed,
    created,
    startup: presetsOfAll.filter(({ loadOnStartup }) => loadOnStartup).map(({ name }) => name),
  };
}

const noteFault = (fault: string): void => printNote(`note: ${printable(fault)}`);

/** A model that is there anyway comes before one of its name that was created. */
function withoutTaken(sources: readonly ModelSource[]): ModelSource[] {
  const byName = new Map<string, ModelSource>();
  for (const source of sources) if (!byName.has(source.id)) byName.set(source.id, source);
  return [...byName.values()];
}

/** What lies in the folders and in the cache, as far as these are to be served. */
async function lyingHere(flags: SourcesRequest['flags']): Promise<Preset[]> {
  const folders = await Promise.all((flags.modelsDir ?? []).map((dir) => folderModels(dir)));
  const cached = flags.modelsCached ? await cachedModels((await hubSettings({})).cacheDir) : [];
  const isWhole = ({ complete }: LocalModel): boolean => complete;
  return [
    ...folders
      .flat()
      .filter(isWhole)
      .map((model) => local(model, flags)),
    ...cached.filter(isWhole).map((model) => ({ ...local(model, flags), reference: model.name })),
  ];
}

/** What a preset of its name says of a model that is there: how it is loaded, or that another one has the name. */
function asPreset(found: Preset, presets: readonly Preset[]): Preset {
  const preset = presets.find(({ name }) => name === found.name);
  if (!preset) return found;
  if (preset.model !== preset.name) return preset;
  const { model, reference, onDisk, files } = found;
  return { ...preset, model, reference, onDisk, files };
}

const plain = (name: string, model: string, flags: ModelFlags): Preset => ({
  ...{ name, model, flags, aliases: [], loadOnStartup: false },
});

const local = (model: LocalModel, flags: ModelFlags): Preset => ({
  ...plain(model.name, model.path, flags),
  onDisk: { bytes: model.bytes, modifiedMs: model.modifiedMs },
  files: essentialFiles(model),
});

/** A hub id is its own name; a path is called as the only model would be. */
const nameOf = (model: string): string =>
  /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/.test(model) && !/\.gguf$/i.test(model)
    ? model
    : basename(model).replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');

function refuseTwice(found: readonly Preset[]): void {
  const seen = new Map<string, string>();
  for (const { name, model } of found) {
    const before = seen.get(name);
    if (before !== undefined)
      throw new QuernError(
        'serve-name-twice',
        `Two models are called ${JSON.stringify(name)}: ${before} and ${model}.`,
        {
          remedy: 'Give one of them another name, in a file of presets (--preset).',
        },
      );
    seen.set(name, model);
  }
}

async function readPresets(file: string, flags: ModelFlags): Promise<Preset[]> {
  const text = (await readInputFile(file, 'presets', 'preset-unreadable')).toString();
  const sections = parsePresets(text, file);
  const general = sections.find(({ name }) => name === everyModel) ?? { name: everyModel, entries: [] };
  const usual = readPreset(general, flags, file).flags;
  const own = sections.filter(({ name }) => name !== everyModel);
  const presets = own.map((section) => readPreset(section, usual, file));
  // Paths are the file's: it may be used from anywhere.
  return Promise.all(presets.map(async (preset) => ({ ...preset, model: await fromFile(preset.model, file) })));
}

async function fromFile(model: string, file: string): Promise<string> {
  if (isAbsolute(model)) return model;
  const beside = join(dirname(file), model);
  return (await stat(beside).catch(() => undefined)) ? beside : model;
}

/** Of several files the first says little. */
const wholeFile = (path: string, found: Stats | undefined): ModelSource['onDisk'] =>
  found?.isFile() && !/-of-\d{5}\.gguf$/i.test(path) ? { bytes: found.size, modifiedMs: found.mtimeMs } : undefined;

function sourceOf(
  { name, model, reference = model, onDisk, files, aliases, flags }: Preset,
  modelsAtOnce: number,
  request: SourcesRequest,
): ModelSource {
  const { options, complete } = readModelFlags(flags, modelsAtOnce);
  const { contextTokens, cacheTokens, override } = options;
  const { locate, onReload } = request;
  const here = statSync(reference, { throwIfNoEntry: false });
  return {
    ...{ id: name, aliases, contextTokens, cacheTokens, override },
    // A path is for as long as the server lives, and longer: it must not depend on where it was started.
    reference: here ? resolve(reference) : reference,
    onDisk: onDisk ?? wholeFile(reference, here),
    ...(files && { isGone: () => anyGone(files) }),
    locate: async () => (await locateCheckpoint(model, locate)).path,
    async load(path, onProgress, { adapters = [], ...changes } = {}) {
      const usual = await complete(locate);
      const all = [...(usual.adapters ?? []), ...adapters];
      return loadServedModel(path, { ...usual, ...changes, adapters: all, alias: name, onProgress, onReload });
    },
  };
}
