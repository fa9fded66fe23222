// llama.cpp's shared libraries out of the npm package @node-llama-cpp/linux-x64, called through koffi. They exist for
// Linux x64 only; elsewhere `oracleUnavailable` says why, and tests skip with that reason.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { LibraryHandle } from 'koffi';

const require = createRequire(import.meta.url);

const found = locate();

/** Why the native reference cannot run here, for `describe.skipIf(oracleUnavailable)`; undefined when it can. */
export const oracleUnavailable: string | undefined = typeof found === 'string' ? found : undefined;
if (oracleUnavailable) console.warn(`Skipping comparisons with llama.cpp: ${oracleUnavailable}`);

export type Koffi = typeof import('koffi');

export interface Libraries {
  readonly koffi: Koffi;
  /** Where the libraries are, those of single processor families (libggml-cpu-*) among them. */
  readonly directory: string;
  /** libggml-base: quantization, no hardware dispatch. */
  readonly ggmlBase: LibraryHandle;
  /** libggml: the registry of backends. */
  readonly ggml: LibraryHandle;
  readonly llama: LibraryHandle;
}

let loaded: Libraries | undefined;

/** Loads libggml-base, libggml and libllama once. @throws Error with the reason when they are not available */
export function libraries(): Libraries {
  if (typeof found === 'string') throw new Error(found);
  if (!loaded) {
    const koffi: Koffi = require('koffi');
    const open = (name: string) => koffi.load(join(found.directory, name));
    loaded = {
      koffi,
      directory: found.directory,
      ggmlBase: open(found.ggmlBase),
      ggml: open(found.ggml),
      llama: open(found.llama),
    };
    start(loaded, found.directory);
  }
  return loaded;
}

const held: { memory?: unknown } = {};

/** Call after a native call that reads `memory` by address: until then the garbage collector must not take it. */
export function keepAlive(memory: unknown): void {
  held.memory = memory;
  held.memory = undefined;
}

function locate(): { directory: string; ggmlBase: string; ggml: string; llama: string } | string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `its npm binaries are for linux-x64, this is ${process.platform}-${process.arch}`;
  }
  let directory: string;
  try {
    require.resolve('koffi');
    directory = join(packageRoot('@node-llama-cpp/linux-x64'), 'bins/linux-x64');
  } catch (error) {
    return `an optional dependency of test/oracle is not installed (${(error as Error).message.split('\n')[0]})`;
  }
  const files = readdirSync(directory);
  const pick = (pattern: RegExp) => files.find((name) => pattern.test(name));
  const ggmlBase = pick(/^libggml-base.*\.so$/);
  const ggml = pick(/^libggml\.v.*\.so$/) ?? pick(/^libggml\.so$/);
  const llama = pick(/^libllama\.v.*\.so$/) ?? pick(/^libllama\.so$/);
  if (!ggmlBase || !ggml || !llama) return `${directory} lacks libggml or libllama`;
  return { directory, ggmlBase, ggml, llama };
}

function packageRoot(name: string): string {
  for (const base of require.resolve.paths(name) ?? []) {
    try {
      readdirSync(join(base, name));
      return join(base, name);
    } catch {
      // Not in this node_modules; look one folder up.
    }
  }
  throw new Error(`${name} is not installed`);
}

function start({ koffi, llama, ggml }: Libraries, directory: string): void {
  if (!process.env.QUERN_ORACLE_LOG) {
    // llama.cpp logs from its own threads, where a JavaScript callback could not run. A native function that ignores
    // its arguments and has no effect serves as the callback instead.
    const ignore = llama.symbol('llama_time_us');
    llama.func('void llama_log_set(void *callback, void *user)')(koffi.address(ignore), null);
  }
  llama.func('void llama_backend_init()')();
  // Chooses the libggml-cpu-*.so that fits this processor best.
  ggml.func('void ggml_backend_load_all_from_path(const char *directory)')(directory);
}
