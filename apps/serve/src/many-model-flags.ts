// The flags of a server of many models: which there are, and how many are loaded at a time.
import { totalmem } from 'node:os';
import { QuernError } from '@quern/errors';
import { type Flag, parseCount } from '@quern/terminal';
import { parseKeepAlive } from './models/keep-alive.ts';
import type { ManyModelsOptions } from './models/many-models.ts';

export interface ManyModelFlags {
  modelsDir?: readonly string[];
  preset?: string;
  modelsCached?: boolean;
  modelsMax: string;
  modelsMemory?: string;
  idleUnload?: string;
  strictModel?: boolean;
  allowChanges?: boolean;
}

export const manyModelFlags: readonly Flag[] = [
  {
    flags: '--models-dir <folder>',
    description: 'serve the GGUF files and checkpoints of a folder, each loaded when a request names it; several',
    repeatable: true,
  },
  {
    flags: '--preset <file>',
    description: 'serve what a file lists: INI (a section a model, keys are flags), or the same as JSON',
  },
  {
    flags: '--models-cached',
    description: 'serve the models that are in the cache of the hub, and those that were created here',
  },
  { flags: '--models-max <count>', description: 'most models loaded at a time', default: '4' },
  {
    flags: '--models-memory <MiB>',
    description: 'most memory of their weights and caches together (default: four fifths of the machine’s)',
  },
  {
    flags: '--idle-unload <time>',
    description: 'unload a model that nobody has asked for so long: 5m, 30s, 1h (default: when its place is needed)',
  },
  {
    flags: '--allow-changes',
    description:
      'clients may fetch models of the hub, create, copy and delete models (Ollama’s /api/pull, create, copy, delete)',
  },
  {
    flags: '--strict-model',
    description: 'of one model: refuse requests that name another, instead of answering with this one',
  },
];

export const wantsManyModels = (models: readonly string[], flags: ManyModelFlags): boolean =>
  models.length > 1 ||
  flags.modelsDir !== undefined ||
  flags.preset !== undefined ||
  flags.modelsCached === true ||
  flags.allowChanges === true;

/** The only model stays loaded. @throws QuernError `usage-one-model` for flags that would do nothing */
export function requireMany({ idleUnload, modelsMemory }: ManyModelFlags): void {
  const given = idleUnload !== undefined ? '--idle-unload' : modelsMemory !== undefined ? '--models-memory' : undefined;
  if (given === undefined) return;
  throw new QuernError('usage-one-model', `${given} is for a server of several models; a single one stays loaded.`, {
    remedy:
      'Leave it out, or list the model in a file (--preset) or a folder (--models-dir): then it is loaded on demand.',
  });
}

/** @throws QuernError `usage-bad-number`, `usage-bad-time` */
export function readManyModelFlags(flags: ManyModelFlags): ManyModelsOptions {
  const mebibytes = parseCount('--models-memory', flags.modelsMemory, 1 << 30);
  return {
    maxLoaded: parseCount('--models-max', flags.modelsMax, 1024)!,
    maxBytes: mebibytes === undefined ? totalmem() * 0.8 : mebibytes * 2 ** 20,
    keepMs: readIdleTime(flags.idleUnload),
    strict: flags.strictModel ?? false,
  };
}

function readIdleTime(text: string | undefined): number {
  const ms = text === undefined ? -1 : parseKeepAlive(text);
  if (ms !== undefined) return ms;
  throw new QuernError('usage-bad-time', `--idle-unload must be a time, not '${text}'.`, {
    remedy: 'Write 300 (seconds), 30s, 5m or 1h; 0 unloads at once, -1 never.',
  });
}
