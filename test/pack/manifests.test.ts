// What the registry shows of a package, and what npm needs to know to install the right ones together.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeBlocks } from './code-blocks.ts';
import { manifestIn, published, root } from './published.ts';

const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const whole = manifestIn('.');
const versions = new Map(published.map(({ manifest }) => [manifest.name, manifest.version]));

describe.each(published)('$manifest.name', ({ folder, manifest }) => {
  it('can be published, and says where it comes from', () => {
    expect(manifest).toMatchObject({
      license: 'MIT',
      repository: { type: 'git', url: whole.repository.url, directory: folder },
      publishConfig: { access: 'public' },
      engines: whole.engines,
    });
    expect(manifest.private).toBeUndefined();
    expect(manifest.description).not.toBe('');
    expect(text(`${folder}/LICENSE`)).toBe(text('LICENSE'));
  });

  it('asks for exactly this version of its siblings, and runs no script when it is installed', () => {
    const siblings = Object.entries(manifest.dependencies).filter(([name]) => versions.has(name));
    expect(siblings).toEqual(siblings.map(([name]) => [name, versions.get(name)]));
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual(
      [],
    );
  });

  it('has a README of its own with an example', () => {
    const readme = text(`${folder}/README.md`);
    expect(readme.startsWith(`# ${manifest.name}\n`)).toBe(true);
    expect(codeBlocks(readme)).toHaveLength(1);
  });
});

it('all have one version', () => {
  expect(new Set(versions.values()).size).toBe(1);
});

it('names the version of webgpu that the packages are tested with', () => {
  const tested = (whole as unknown as { devDependencies: Record<string, string> }).devDependencies.webgpu!;
  const { peerDependencies } = manifestIn('packages/runtime');
  expect(peerDependencies?.webgpu).toBe(`^${tested}`);
  expect(text('packages/runtime/src/webgpu/gpu.ts')).toContain(`webgpu@${tested.split('.').slice(0, 2).join('.')}'`);
});
