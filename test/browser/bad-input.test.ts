// What is wrong with a model or a request is said by name, and the page goes on working: all of it happens in one page.
import { readFileSync, writeFileSync } from 'node:fs';
import { type RunningSite, serveSite } from '@quern/web';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { launch, noChromium } from './chromium.ts';
import { type FaultServer, startFaultServer } from './fault-server.ts';
import { type ModelFolder, makeModels } from './models.ts';
import { TestPage } from './page.ts';

let models: ModelFolder;
let site: RunningSite;
let elsewhere: FaultServer;
let browser: Browser;
let page: TestPage;

beforeAll(async () => {
  if (noChromium) return;
  models = await makeModels();
  const good = readFileSync(models.path('llama3.gguf'));
  const write = (name: string, bytes: Buffer) => writeFileSync(models.path(name), bytes);
  write('empty.gguf', Buffer.alloc(0));
  write('text.gguf', Buffer.from('<!doctype html><title>Not a model</title>'));
  write('cut-header.gguf', good.subarray(0, 3000));
  write('cut-data.gguf', good.subarray(0, good.length - 5000));
  const other = Buffer.from(good);
  other.write('mamba', other.indexOf('llama')); // the value of general.architecture, of the same length
  write('other-architecture.gguf', other);
  site = await serveSite({ models: models.folder });
  elsewhere = await startFaultServer(models.path('tiny-llama-Q8_0.gguf'));
  browser = await launch();
  page = await TestPage.open(browser, site.url);
});
afterEach(() => {
  expect(page?.failures ?? []).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  elsewhere?.close();
  models?.remove();
});

const chooseFile = (name: string) => page.loadFiles([models.path(name)]);
const giveUrl = (path: string) => page.loadUrl(site.url + path);
const giveUrlElsewhere = (path: string) => page.loadUrl(elsewhere.url + path);

describe.skipIf(noChromium)('one page', () => {
  test.each([
    ['an empty file', chooseFile, 'empty.gguf', 'gguf-bad-magic'],
    ['no GGUF', chooseFile, 'text.gguf', 'gguf-bad-magic'],
    ['a header that ends early', chooseFile, 'cut-header.gguf', 'gguf-truncated'],
    ['data that end early', chooseFile, 'cut-data.gguf', 'gguf-truncated'],
    ['an architecture that is not known', chooseFile, 'other-architecture.gguf', 'unknown-architecture'],
    ['one split of two', chooseFile, 'split-00001-of-00002.gguf', 'gguf-split-missing'],
    ['an address without a file', giveUrl, '/models/none.gguf', 'http-not-found'],
    ['an address that is no GGUF', giveUrl, '/', 'gguf-bad-magic'],
    ['no GGUF behind a URL', giveUrl, '/models/text.gguf', 'gguf-bad-magic'],
    ['a server without ranges', giveUrlElsewhere, '/no-ranges.gguf', 'http-no-range'],
    ['a server that lets no page read', giveUrlElsewhere, '/not-for-pages.gguf', 'http-failed'],
    ['a server that hides Content-Range', giveUrlElsewhere, '/range-not-shown.gguf', 'http-bad-range'],
    ['a connection that breaks halfway', giveUrlElsewhere, '/cut.gguf', 'http-failed'],
    ['no address at all', (url: string) => page.loadUrl(url), 'http://[', 'web-bad-address'],
  ])('refuses %s', async (_, load, name, code) => {
    const { error, model } = await load(name);
    expect(error).toMatch(new RegExp(`\\[${code}\\]$`));
    expect(model).toBe('');
    expect(await page.page.locator('#talk').isVisible()).toBe(false);
  });

  test('refuses a context that the model was not made for, with the numbers', async () => {
    await page.page.locator('#context').fill('100000');
    const { error } = await chooseFile('tiny-llama-Q8_0.gguf');
    expect(error).toMatch(/100000.*2048.*\[context-too-long\]$/);
    await page.page.locator('#context').fill('');
  });

  test('loads after all that: from another origin, and from splits both ways', async () => {
    expect(await giveUrlElsewhere('/right.gguf')).toMatchObject({
      error: '',
      model: expect.stringContaining('Tiny Llama'),
    });
    const splits = [1, 2].map((no) => models.path(`split-0000${no}-of-00002.gguf`));
    expect(await page.loadFiles(splits)).toMatchObject({ error: '', model: expect.stringContaining('Llama3') });
    const byUrl = await giveUrl('/models/split-00002-of-00002.gguf');
    expect(byUrl).toMatchObject({ error: '', model: expect.stringContaining('Llama3') });
    // This model has no template: a text is continued, and the chat mode is not offered.
    expect(await page.page.locator('#mode').isDisabled()).toBe(true);
    expect((await page.ask('the cat', { maxTokens: 5 })).figures).toMatch(/reply 5 tokens/);
  });

  test('refuses a request, and answers the next', async () => {
    await page.page.locator('#context').fill('64');
    await chooseFile('tiny-llama-Q8_0.gguf');
    await page.page.locator('#context').fill('');
    const refused = await page.ask('word '.repeat(100));
    expect(refused.error).toMatch(/in a context of 64 tokens\. .*\[prompt-too-long\]$/);
    await page.set({ 'top-p': '7' });
    expect((await page.ask('Hello', { maxTokens: 20 })).error).toMatch(/topP.*\[sampling-invalid\]$/);
    await page.set({ 'top-p': '1' });
    expect((await page.ask('What is the capital of France?', { maxTokens: 20 })).text).toBe(
      'The capital of France is Paris.',
    );
  });
});
