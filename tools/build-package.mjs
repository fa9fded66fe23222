// Builds one package: every src/wasm/<name>.entry.wasm.ts becomes dist/<name>.wasm (AssemblyScript), then `tsc -b`.
// Called from the package's folder by turbo, which orders packages and caches results.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const asc = join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js');
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');

const run = (script, args) => execFileSync(process.execPath, [script, ...args], { stdio: 'inherit' });

mkdirSync('dist', { recursive: true });
if (existsSync('src/wasm')) {
  for (const file of readdirSync('src/wasm').filter((name) => name.endsWith('.entry.wasm.ts'))) {
    const name = file.replace('.entry.wasm.ts', '');
    // Shared memory is imported, so that the host reads files straight into it. A module's static data begins at
    // memoryBase, so that address 0 stays invalid; 65536 pages is the 4 GiB limit of 32-bit wasm.
    // <name>-relaxed.entry.wasm.ts may use relaxed SIMD.
    run(asc, [
      join('src/wasm', file),
      '-o',
      `dist/${name}.wasm`,
      '-O3',
      '--runtime',
      'stub',
      '--noAssert',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '2',
      '--maximumMemory',
      '65536',
      '--memoryBase',
      '65536',
      '--enable',
      'simd',
      '--enable',
      'threads',
      '--enable',
      'bulk-memory',
      ...(name.endsWith('-relaxed') ? ['--enable', 'relaxed-simd'] : []),
    ]);
  }
}
run(tsc, ['-b']);
