// An empty folder of a stranger, with every package installed from its tarball. The packages of others are packed too, from
// node_modules: nothing is fetched, so the test runs without a network and never skips.
import { type ExecFileOptions, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { manifestIn, published, root } from './published.ts';

export interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

export interface Installed {
  readonly folder: string;
  /** Our tarballs. */
  readonly packed: readonly Packed[];
  /** What npm said while it installed. */
  readonly said: string;
}

/** Of a stranger: without what npm and vitest tell the programs that they start. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|node_options|vitest|node_env$)/i.test(name)),
);

const shell = process.platform === 'win32'; // npm and npx are scripts of cmd there

export async function execute(program: string, args: readonly string[], options: ExecFileOptions) {
  const limits = { env: environment, maxBuffer: 2 ** 26, shell: shell && program !== process.execPath };
  const { stdout, stderr } = await promisify(execFile)(program, args, { ...limits, ...options, encoding: 'utf8' });
  return { stdout, stderr };
}

export async function installPacked(): Promise<Installed> {
  const place = await mkdtemp(join(tmpdir(), 'quern-pack-'));
  const [folder, tarballs] = [join(place, 'empty'), join(place, 'tarballs')];
  await mkdir(folder);
  await mkdir(tarballs);
  const packed = await pack(['-w', 'packages', '-w', 'apps'], tarballs);
  const others = await pack(foreignPackages(), tarballs);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const files = [...packed, ...others].map(({ filename }) => `../tarballs/${filename}`);
  const { stdout, stderr } = await execute('npm', ['install', '--offline', '--no-audit', '--no-fund', ...files], {
    cwd: folder,
  });
  return { folder, packed, said: stdout + stderr };
}

async function pack(what: readonly string[], destination: string): Promise<Packed[]> {
  const args = ['pack', ...what, '--ignore-scripts', '--json', '--pack-destination', destination];
  const { stdout } = await execute('npm', args, { cwd: root });
  return JSON.parse(stdout);
}

/** Folders of all that our packages need of others, and of the types of Node, which a program in TypeScript has. */
function foreignPackages(): string[] {
  const ours = new Set(published.map(({ manifest }) => manifest.name));
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    if (ours.has(name)) return;
    const folder = installedFolder(name, from);
    if (found.has(folder)) return;
    found.add(folder);
    for (const needed of Object.keys(manifestIn(folder).dependencies ?? {})) visit(needed, folder);
  };
  for (const { folder, manifest } of published)
    for (const name of Object.keys(manifest.dependencies)) visit(name, folder);
  visit('@types/node', '.');
  return [...found].map((folder) => `./${folder}`);
}

/** As Node finds it: beside the one who asks, or further up. */
function installedFolder(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(root, folder))) return folder;
    if (at === '.') throw new Error(`${name}, which ${from} needs, is not installed.`);
  }
}
