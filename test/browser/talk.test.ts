// A conversation in the page, by keyboard; replies and loads that are cut short; a device that is lost.
import { type RunningSite, serveSite } from '@quern/web';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, noChromium } from './chromium.ts';
import { expectedChats, type ModelFolder, makeModels } from './models.ts';
import { TestPage } from './page.ts';

let models: ModelFolder;
let site: RunningSite;
let browser: Browser;
let model: string;

beforeAll(async () => {
  if (noChromium) return;
  models = await makeModels();
  site = await serveSite({ models: models.folder });
  model = `${site.url}/models/tiny-llama-F16.gguf`;
  browser = await launch('--enable-unsafe-webgpu');
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  models?.remove();
});

/** Runs `code` at the start of the worker that holds the model. */
async function prepareWorker(page: TestPage, code: string): Promise<void> {
  await page.page.route('**/worker/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code}\n${await response.text()}` });
  });
}

describe.skipIf(noChromium)('talking', () => {
  test('with the keyboard alone; every turn knows those before it', async () => {
    const page = await TestPage.open(browser, site.url);
    const { keyboard } = page.page;
    await keyboard.press('Tab');
    await keyboard.type(model);
    await keyboard.press('Enter');
    await page.page.locator('#prompt:focus').waitFor();
    await page.set({ temperature: '0', 'max-tokens': '24' });
    await page.page.locator('#prompt').focus();
    await keyboard.type('What is the capital of France?');
    await keyboard.press('Shift+Enter');
    await keyboard.press('Backspace');
    await keyboard.press('Enter');
    expect((await page.settled()).text).toBe('The capital of France is Paris.');
    // 16 tokens of the first question, 7 of the reply with its end, and what the template puts around the second.
    await keyboard.type('What is the capital of France?');
    await keyboard.press('Enter');
    const second = await page.settled();
    expect(Number(/^prompt (\d+) tokens/.exec(second.figures)![1])).toBeGreaterThan(2 * 16);
    await page.page.getByRole('button', { name: 'New chat' }).click();
    expect(await page.page.locator('.turn').count()).toBe(0);
    expect((await page.ask('What is the capital of France?')).figures).toMatch(/^prompt 16 tokens/);
    expect(page.failures).toEqual([]);
    await page.page.close();
  });

  test('Esc stops a reply, another load ends one; what is written is never markup', async () => {
    const page = await TestPage.open(browser, site.url);
    await page.loadUrl(model, 'webgpu'); // on software: slow enough to stop
    await page.set({ mode: 'continue', temperature: '0', 'max-tokens': '1500' });
    const begin = async () => {
      await page.page.locator('#prompt').fill('Once upon a time');
      await page.page.locator('#prompt').press('Enter');
      await page.page.waitForFunction(() => {
        const text = document.querySelector('#log .turn:last-child')!.firstChild as Text;
        return text.data.length > 20 && text.data !== 'Once upon a time';
      });
    };
    await begin();
    await page.page.keyboard.press('Escape');
    expect((await page.settled()).figures).toMatch(/ · stopped$/);
    await begin();
    expect((await page.loadUrl(`${site.url}/models/llama3.gguf`)).model).toContain('Llama3');
    expect((await page.ask('<b>the</b>', { maxTokens: 3 })).figures).toMatch(/reply 3 tokens/);
    expect(await page.page.locator('#log b').count()).toBe(0);
    expect(page.failures).toEqual([]);
    await page.page.close();
  });

  test('a load can be cancelled, and started again', async () => {
    const page = await TestPage.open(browser, site.url);
    let hold = true;
    await page.page.route('**/tiny-llama-F16.gguf', async (route) => {
      if (!hold) await route.continue();
    });
    await page.page.locator('#url').fill(model);
    await page.page.locator('#url').press('Enter');
    await page.page.getByRole('button', { name: 'Cancel' }).click();
    await page.page.locator('#loading').waitFor({ state: 'hidden' });
    expect(await page.page.locator('#load-error').isVisible()).toBe(false);
    hold = false;
    expect((await page.loadUrl(model)).error).toBe('');
    expect(page.failures).toEqual([]);
    await page.page.close();
  });

  test('a lost WebGPU device is named, and the model can be loaded again', async () => {
    const page = await TestPage.open(browser, site.url);
    await prepareWorker(
      page,
      `const own = GPUAdapter.prototype.requestDevice;
       GPUAdapter.prototype.requestDevice = async function (...wanted) {
         return (globalThis.deviceOfTest = await own.apply(this, wanted));
       };`,
    );
    await page.loadUrl(model, 'webgpu');
    await page.set({ mode: 'continue', temperature: '0', 'max-tokens': '1500' });
    await page.page.locator('#prompt').fill('Once');
    await page.page.locator('#prompt').press('Enter');
    await page.page.waitForFunction(() => document.querySelector('.turn.assistant')!.textContent!.length > 5);
    await page.page.workers()[0]!.evaluate('deviceOfTest.destroy()');
    expect((await page.settled()).error).toMatch(/lost.*\[device-lost\]$/);
    expect(await page.page.locator('#send').isDisabled()).toBe(true);
    await page.loadUrl(model);
    expect((await page.ask(expectedChats[0]!.messages[0]!.content)).text).toBe('The capital of France is Paris.');
    expect(page.failures).toEqual([]);
    await page.page.close();
  });

  test('a browser that reserves little memory gets a smaller device', async () => {
    const page = await TestPage.open(browser, site.url);
    await prepareWorker(
      page,
      `const Own = WebAssembly.Memory;
       WebAssembly.Memory = class extends Own {
         constructor(wanted) {
           if (wanted.maximum > 20000) throw new RangeError('could not allocate memory');
           super(wanted);
         }
       };`,
    );
    expect(await page.loadUrl(model, 'wasm-threads')).toMatchObject({
      error: '',
      steps: ['WebAssembly with threads: used.'],
    });
    expect((await page.ask('Hello', { maxTokens: 2 })).figures).toMatch(/reply 2 tokens/);
    await page.page.close();
  });
});
