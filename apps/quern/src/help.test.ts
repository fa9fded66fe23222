// Help of every command: it fits a terminal, shows examples, and waits for nothing.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { parserOf } from './parser.ts';

const names = commands.map(({ name }) => name);

test.each(commands)('$name --help fits 80 columns and has examples', async ({ name, load }) => {
  let text = '';
  const parser = parserOf(await load());
  parser.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp();
  const lines = text.split('\n');
  expect(lines.filter((line) => [...line].length > 81)).toEqual([]);
  expect(lines.filter((line) => line.startsWith(`  $ quern ${name} `)).length).toBeGreaterThan(1);
});

test('nothing is loaded for a help text but tables, the terminal and the parser', async () => {
  const loaded = modulesOf(join(import.meta.dirname, 'program.ts'));
  const packages = new Set([...loaded].map((file) => /(packages|apps)\/[^/]+/.exec(file)![0]));
  expect(names).toHaveLength(16);
  expect([...packages].sort()).toEqual([
    ...['calibrate', 'convert', 'eval', 'quantize', 'quern', 'serve'].map((name) => `apps/${name}`),
    ...['errors', 'kquant', 'models', 'perplexity', 'runtime', 'terminal'].map((name) => `packages/${name}`),
  ]);
  // Of packages with kernels and formats, the tables alone.
  const tables = [...loaded].filter((file) => /packages\/(kquant|models|perplexity|runtime)\//.test(file));
  expect(tables.map((file) => file.replace(/.*packages\//, '')).sort()).toEqual([
    'kquant/src/command/flags.ts',
    'kquant/src/plan/conditions.ts',
    'kquant/src/plan/file-types.ts',
    'models/src/flags.ts',
    'perplexity/src/windows/profiles.ts',
    'runtime/src/ops/cache-types.ts',
  ]);
});

/** Source files that importing `entry` and all definitions loads: what actions import when they run is left out. */
function modulesOf(entry: string, loaded = new Set<string>()): Set<string> {
  if (loaded.has(entry)) return loaded;
  loaded.add(entry);
  const text = readFileSync(entry, 'utf8');
  const isTable = entry.endsWith('/commands.ts');
  const imports = text.matchAll(/^(?:import|export)\s(?!type\s)[^;]*?from '([^']+)'/gm);
  for (const [, specifier] of [...imports, ...(isTable ? text.matchAll(/import\('([^']+)'\)/g) : [])]) {
    const file = sourceOf(specifier!, entry);
    if (file) modulesOf(file, loaded);
  }
  return loaded;
}

function sourceOf(specifier: string, from: string): string | undefined {
  if (specifier.startsWith('.')) return resolve(dirname(from), specifier);
  const [scope, name, ...entry] = specifier.split('/');
  if (scope !== '@quern') return undefined;
  const manifest = createRequire(from).resolve(`${scope}/${name}`);
  const folder = manifest.replace(/\/(src|dist)\/.*$/, '');
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const source = join(folder, exports[['.', ...entry].join('/')].source);
  expect(existsSync(source)).toBe(true);
  return source;
}
