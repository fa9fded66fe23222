// Everything is packed as `npm publish` would, installed into an empty folder, and used there as a stranger does: the
// commands by `npx quern`, the packages by the programs of docs/programs.md and of the READMEs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks } from './code-blocks.ts';
import { environment, execute, type Installed, installPacked } from './install-packed.ts';
import { published, root } from './published.ts';

const models = join(root, 'test/models');
let installed: Installed;

beforeAll(async () => {
  installed = await installPacked();
  await cp(join(models, 'tiny-llama'), join(installed.folder, 'tiny-llama'), { recursive: true });
  await cp(join(models, 'text/prose-test.txt'), join(installed.folder, 'text.txt'));
  await cp(join(root, 'test/golden/data/torch/module.bin'), join(installed.folder, 'pytorch_model.bin'));
});

afterAll(async () => {
  if (installed) await rm(dirname(installed.folder), { recursive: true, force: true });
});

const quern = (...args: string[]) => execute('npx', ['quern', ...args], { cwd: installed.folder });

describe('the tarballs', () => {
  it('hold what is needed: no tests, no build information, all that package.json names', () => {
    for (const { name, files } of installed.packed) {
      const paths = files.map(({ path }) => path);
      const { manifest } = published.find((one) => one.manifest.name === name)!;
      const named = [...Object.values(manifest.exports).flatMap(Object.values), ...Object.values(manifest.bin ?? {})];
      expect(paths, name).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
      expect(paths, name).toEqual(expect.arrayContaining(named.map((path) => path.slice(2))));
      expect(paths.filter((path) => /\.test\.|testing\/|tsbuildinfo|\.wasm\.ts|turbo/.test(path))).toEqual([]);
    }
    expect(installed.packed.map(({ name }) => name).sort()).toEqual(
      published.map(({ manifest }) => manifest.name).sort(),
    );
  });

  it('install without a script, a deprecation, or the 134 MB of webgpu', async () => {
    const lock = await readFile(join(installed.folder, 'node_modules/.package-lock.json'), 'utf8');
    const packages: Record<string, { hasInstallScript?: boolean; deprecated?: string }> = JSON.parse(lock).packages;
    const loud = Object.entries(packages).filter(
      ([, { hasInstallScript, deprecated }]) => hasInstallScript || deprecated,
    );
    expect(loud).toEqual([]);
    expect(Object.keys(packages)).toContain('node_modules/quern');
    expect(Object.keys(packages)).not.toContain('node_modules/webgpu');
    // npm speaks of the `prepare` of packages that do not come from a registry: here, those of others.
    expect(installed.said).not.toMatch(/quern/);
  });
});

describe('npx quern', () => {
  it('converts, quantizes and evaluates', async () => {
    await quern('convert', 'tiny-llama', '-o', 'model.gguf');
    await quern('quantize', 'model.gguf', '--type', 'Q4_K_M', '-o', 'small.gguf');
    const { stdout } = await quern('eval', 'model.gguf', 'small.gguf', '--text', 'text.txt', '--chunks', '2', '--json');
    expect(stdout).toContain('small.gguf');
  });

  it('serves the answer that transformers gives', async () => {
    const expected = JSON.parse(await readFile(join(models, 'tiny-llama/expected/chat.json'), 'utf8'));
    const { messages, greedy_text, greedy_ids } = expected.chat_template[0];
    const program = join(installed.folder, 'node_modules/quern/bin/quern.js');
    const server = spawn(process.execPath, [program, 'serve', 'model.gguf', '--port', '0'], {
      cwd: installed.folder,
      env: environment,
    });
    const ended = once(server, 'close');
    try {
      const url = await addressOf(server.stdout);
      await untilHealthy(url);
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages, temperature: 0, max_tokens: greedy_ids.length }),
      });
      expect((await response.json()).choices[0].message.content).toBe(greedy_text.replace('<|im_end|>', ''));
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
  });
});

describe('programs', () => {
  beforeAll(async () => {
    const pages = published.map(({ folder, manifest }) => ({
      name: basename(manifest.name),
      path: `${folder}/README.md`,
    }));
    await mkdir(join(installed.folder, 'programs'));
    for (const { name, path } of [...pages, { name: 'programs', path: 'docs/programs.md' }]) {
      const blocks = codeBlocks(await readFile(join(root, path), 'utf8'));
      for (const [i, code] of blocks.entries())
        await writeFile(join(installed.folder, `programs/${name}-${i}.mts`), code);
    }
    const entries = published.flatMap(({ manifest }) =>
      Object.keys(manifest.exports).map((entry) => manifest.name + entry.slice(1)),
    );
    const everything = entries.map((entry, i) => `export * as entry${i} from '${entry}';\n`).join('');
    await writeFile(join(installed.folder, 'programs/everything.mts'), everything);
  });

  it('see types that compile without skipLibCheck', async () => {
    const compilerOptions = {
      ...{ target: 'es2023', lib: ['es2023'], types: ['node'], module: 'nodenext' },
      ...{ strict: true, skipLibCheck: false, noEmitOnError: true },
    };
    const config = JSON.stringify({ compilerOptions, include: ['programs'] });
    await writeFile(join(installed.folder, 'tsconfig.json'), config);
    const tsc = fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')));
    const { stdout } = await execute(process.execPath, [tsc], { cwd: installed.folder }).catch((error) => error);
    expect(stdout).toBe('');
  });

  it('of docs/programs.md and of every README run', async () => {
    const run = `
      import { readdirSync } from 'node:fs';
      for (const name of readdirSync('programs').filter((name) => name.endsWith('.mjs')).sort()) {
        console.log('# ' + name);
        await import('./programs/' + name);
      }
      console.log('# all ran');`;
    await writeFile(join(installed.folder, 'run.mjs'), run);
    const { stdout } = await execute(process.execPath, ['run.mjs'], { cwd: installed.folder });
    expect(stdout).toMatch(/# all ran\n/);
    expect(stdout).toContain('model-not-found');
  });
});

describe('without the package webgpu', () => {
  // A machine that seems to have Vulkan, so that the package is what is missing; nobody loads the library.
  const withVulkan = async () => {
    await writeFile(join(installed.folder, 'libvulkan.so.1'), '');
    return { cwd: installed.folder, env: { ...environment, LD_LIBRARY_PATH: installed.folder } };
  };

  it('a program that asks for a GPU is told how to get it', async () => {
    const code = `import { webgpuDevice } from '@quern/runtime';
      await webgpuDevice().catch((error) => console.log(error.code, error.describe()));`;
    const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', code], await withVulkan());
    expect(stdout).toMatch(/^webgpu-not-installed .*npm install webgpu@0\.6 /);
  });

  it('the command computes on the CPU, and says in that line how to get it', async () => {
    const args = ['quern', 'eval', 'small.gguf', '--text', 'text.txt', '--chunks', '1', '--device', 'auto'];
    const { stderr } = await execute('npx', args, await withVulkan());
    expect(stderr).toMatch(/^small\.gguf: cpu: .*no GPU is used: .*webgpu.*npm install webgpu@0\.6 /m);
  });
});

async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  let printed = '';
  for await (const chunk of output) {
    printed += chunk;
    const found = printed.match(/http:\/\/[\d.]+:\d+/);
    if (found) return found[0];
  }
  throw new Error(`The server ended before it listened: ${printed}`);
}

async function untilHealthy(url: string): Promise<void> {
  while (!(await fetch(`${url}/health`)).ok) await new Promise((resolve) => setTimeout(resolve, 100));
}
