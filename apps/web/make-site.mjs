// Makes dist/site, the folder that any static host can serve: the page, and every module that it and its workers import,
// each in modules/<package>/<path in the package>.
//
// Packages import each other by name, which a browser understands only through an import map, and import maps do not reach
// into workers. So names are replaced by relative paths here, and nothing else is touched: no bundling, no minifying.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const site = join(here, 'dist/site');
/** What loads modules by itself: the page. Workers are found where code says `new URL('…', import.meta.url)`. */
const entry = join(here, 'dist/page/main.js');

rmSync(site, { recursive: true, force: true });
cpSync(join(here, 'public'), site, { recursive: true });
// The server of `npm run web --models` has a list in its place.
writeFileSync(join(site, 'models.json'), '[]');

const waiting = [entry];
const placed = new Set(waiting);
while (waiting.length > 0) copy(waiting.pop());
console.log(`site: ${placed.size} modules`);

function copy(file) {
  const target = placeOf(file);
  mkdirSync(dirname(target), { recursive: true });
  if (!file.endsWith('.js')) return cpSync(file, target);
  const code = readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  const imported = code.replace(
    /(\bfrom\s*|\bimport\s*|\bimport\(\s*)(['"])([^'"\n]+)\2/g,
    (_, before, quote, name) => {
      const found = name.startsWith('.') ? resolve(dirname(file), name) : entryOf(name, file);
      return `${before}${quote}${visit(found, target)}${quote}`;
    },
  );
  writeFileSync(
    target,
    imported.replace(/\bnew URL\(\s*'([^']+)',\s*import\.meta\.url\s*\)/g, (_, path) => {
      return `new URL('${visit(resolve(dirname(file), path), target)}', import.meta.url)`;
    }),
  );
}

/** Sees that `file` gets copied; returns its path from the module at `from` in the site. */
function visit(file, from) {
  if (!placed.has(file)) waiting.push(file);
  placed.add(file);
  const path = relative(dirname(from), placeOf(file));
  return path.startsWith('.') ? path : `./${path}`;
}

function placeOf(file) {
  const { folder, manifest } = packageOf(file);
  return join(site, 'modules', manifest.name, relative(folder, file));
}

/** The file that a package name means in a browser. */
function entryOf(name, from) {
  const importer = packageOf(from);
  if (!importer.manifest.dependencies?.[name])
    throw new Error(`${from} imports ${name}: not for a browser, or not declared in package.json.`);
  const search = createRequire(from).resolve.paths(name);
  for (const folder of search) {
    const manifest = readManifest(join(folder, name));
    if (!manifest) continue;
    const ways = manifest.exports['.'];
    return join(folder, name, ways.browser ?? ways.import ?? ways.default);
  }
  throw new Error(`${name}, which ${from} imports, is not installed.`);
}

function packageOf(file) {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = readManifest(folder);
    if (manifest) return { folder, manifest };
  }
}

function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
