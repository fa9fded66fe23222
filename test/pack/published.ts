// What is published: every folder of packages/ and apps/, with its package.json.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** `.` or `./flags`, with what each condition (`source`, `types`, `browser`, `default`) means. */
type Exports = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description: string;
  readonly license: string;
  readonly repository: { readonly url: string; readonly directory?: string };
  readonly publishConfig: { readonly access: string };
  readonly engines: { readonly node: string };
  readonly scripts?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Exports;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

export const published = ['packages', 'apps'].flatMap((place) =>
  readdirSync(join(root, place)).map((name) => {
    const folder = `${place}/${name}`;
    return { folder, manifest: manifestIn(folder) };
  }),
);
