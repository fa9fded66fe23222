// Proves that imports go down only: the picture of docs/architecture.md as a check.
//
//   1. a package depends on packages of lower layers alone;
//   2. its source imports what its package.json declares, Node's modules, and its own files; nothing else;
//   3. every package it declares is imported (by AssemblyScript too);
//   4. its tsconfig.json references exactly those packages, so that `tsc -b` builds in this order too.
//
// Tests may use whatever the repository has, except that no package's test may import a higher layer's source by path.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const layers = [
  ['errors', 'workers'],
  ['blocks', 'source', 'terminal', 'grammar'],
  ['safetensors', 'gguf', 'torch', 'packed', 'tokenizer', 'runtime'],
  ['checkpoint', 'chat'],
  ['models', 'hf-writer'],
  ['engine', 'calibration'],
  ['kquant', 'perplexity', 'awq'],
  ['automix'],
  ['convert-command', 'quantize-command', 'calibrate-command', 'eval-command', 'serve-command', 'web'],
  ['quern'],
];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const layerOf = new Map(layers.flatMap((names, layer) => names.map((name) => [name, layer])));
const shortName = (name) => name.replace('@quern/', '');
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const problems = [];

const folders = ['packages', 'apps'].flatMap((place) =>
  readdirSync(join(root, place)).map((name) => join(root, place, name)),
);
const packages = folders.map((folder) => ({ folder, manifest: readJson(join(folder, 'package.json')) }));
const folderOf = new Map(packages.map(({ folder, manifest }) => [manifest.name, folder]));

for (const { folder, manifest } of packages) {
  const own = shortName(manifest.name);
  const layer = layerOf.get(own);
  const complain = (text) => problems.push(`${relative(root, folder)}: ${text}`);
  if (layer === undefined) complain(`${manifest.name} has no layer in tools/boundaries.mjs`);

  const ours = Object.keys(manifest.dependencies ?? {}).filter((name) => folderOf.has(name));
  for (const name of ours) {
    if (!(layerOf.get(shortName(name)) < layer)) complain(`depends on ${name}, which is not in a lower layer`);
  }
  const references = readJson(join(folder, 'tsconfig.json')).references.map(({ path }) => resolve(folder, path));
  const expected = ours.map((name) => folderOf.get(name));
  if (references.sort().join() !== expected.sort().join())
    complain('tsconfig.json references differ from dependencies');

  const used = new Set();
  for (const file of sourceFiles(join(folder, 'src'))) {
    for (const specifier of imports(file)) checkImport(specifier, file);
  }
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (!used.has(name)) complain(`declares ${name} and never imports it`);
  }

  function checkImport(specifier, file) {
    const where = relative(folder, file);
    if (specifier.startsWith('.')) {
      if (!resolve(dirname(file), specifier).startsWith(`${folder}/`))
        complain(`${where} imports ${specifier}, outside the package`);
      return;
    }
    const name = specifier.match(/^(@[^/]+\/)?[^/]+/)[0];
    used.add(name);
    if (specifier.startsWith('node:') || name === manifest.name || manifest.dependencies?.[name]) return;
    if (manifest.peerDependencies?.[name]) return;
    complain(`${where} imports ${name}, which package.json does not declare`);
  }
}

/** What ships: tests and what only tests use (folders named `testing`) are left out. */
function sourceFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourceFiles(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

function imports(file) {
  const code = readFileSync(file, 'utf8').replace(/^\s*(\/\/.*|\*.*|\/\*.*)$/gm, '');
  const forms = [/\bfrom\s+'([^']+)'/g, /\bimport\s+'([^']+)'/g, /\bimport\(\s*'([^']+)'\s*\)/g];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1]));
}

for (const problem of problems) console.error(problem);
console.log(`boundaries: ${packages.length} packages, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
