// The pages say what is so: commands that they show take the flags shown, and the files that they name exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, runCommand } from './cli-fixture.ts';

const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'],
  ...['docs', 'docs/formats', 'docs/adding'].flatMap((folder) =>
    readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.md') ? [`${folder}/${name}`] : [])),
  ),
];
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
/** llama.cpp's names, which the page for those who come from there lists; rewritten before the command sees them. */
const aliases = ['docs/llama-cpp.md'];
const commands = [
  'convert',
  'convert-lora',
  'quantize',
  'merge',
  'calibrate',
  'eval',
  'serve',
  'inspect',
  'tokenize',
  'logits',
];

test.each(commands)('the flags that pages show of quern %s are those of its help', async (name) => {
  const help = (await runCommand(name, '--help')).stdout;
  const flags = pages
    .filter((page) => !aliases.includes(page))
    .flatMap((page) =>
      [...textOf(page).matchAll(new RegExp(`quern ${name}(?![\\w-])([^\`|\\n]*)`, 'g'))].flatMap(([, line]) =>
        [...line!.matchAll(/(?<![\w-])--?[a-z][a-z-]*/g)].map(([flag]) => `${page}: ${flag}`),
      ),
    );
  expect(flags.filter((flag) => !help.includes(flag.split(': ')[1]!))).toEqual([]);
});

describe.each(pages)('%s', (page) => {
  test('links to pages that exist', () => {
    const links = [...textOf(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)].map(([, link]) => link!);
    const local = links.filter((link) => !/^https?:/.test(link));
    expect(local.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  });

  test('names files that exist', () => {
    const named = [...textOf(page).matchAll(/`((?:packages|apps|test|tools|docs)\/[\w./-]+\.\w+)`/g)];
    expect(named.map(([, path]) => path!).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
