// Which device computes in the page, why not a better one, and that every one of them writes what Node's CPU device and
// transformers write.
import { Engine } from '@quern/engine';
import { openModel } from '@quern/models';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { type RunningSite, serveSite } from '@quern/web';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, noChromium } from './chromium.ts';
import { expectedChats, type ModelFolder, makeModels } from './models.ts';
import { TestPage } from './page.ts';

const beginning = 'Once upon a time';
const [{ messages, greedy_text }] = expectedChats as [(typeof expectedChats)[0]];
const question = messages[0]!.content;
const answer = greedy_text.replace('<|im_end|>', '');

let models: ModelFolder;
let isolated: RunningSite;
let plain: RunningSite;
/** What Node's CPU device goes on with after `beginning`, by model. */
const continuations = new Map<string, string>();

beforeAll(async () => {
  if (noChromium) return;
  models = await makeModels();
  isolated = await serveSite({ models: models.folder });
  plain = await serveSite({ models: models.folder, isolated: false });
  for (const name of ['tiny-llama-F16.gguf', 'tiny-llama-Q8_0.gguf'])
    continuations.set(name, await continuationInNode(models.path(name)));
});
afterAll(async () => {
  await isolated?.close();
  await plain?.close();
  models?.remove();
});

async function continuationInNode(modelPath: string): Promise<string> {
  const view = await openModel(modelPath);
  const tokenizer = tokenizerFromGguf(view.metadata);
  await view.close();
  const engine = await Engine.start({ modelPath, threads: 1, activations: 'int8' });
  const ids: number[] = [];
  const prompt = tokenizer.encode(beginning, { addSpecial: true });
  for await (const event of engine.generate(prompt, { maxTokens: 48, sampling: { temperature: 0 } }))
    if ('token' in event) ids.push(event.token);
  await engine.close();
  return tokenizer.decode(ids);
}

const inBrowser =
  (use: (browser: Browser) => Promise<void>, ...flags: string[]) =>
  async () => {
    const browser = await launch(...flags);
    try {
      await use(browser);
    } finally {
      await browser.close();
    }
  };

const figures = /^prompt \d+ tokens, [\d.]+ tokens\/s · reply \d+ tokens, [\d.]+ tokens\/s/;

describe.skipIf(noChromium)('the page', () => {
  test(
    'without WebGPU it takes threads, by URL and by file',
    inBrowser(async (browser) => {
      const page = await TestPage.open(browser, isolated.url);
      const byUrl = await page.loadUrl(`${isolated.url}/models/tiny-llama-Q8_0.gguf`);
      expect(byUrl).toMatchObject({
        model: 'Tiny Llama · llama · 4.20M parameters · Q8_0/F32 · 4.26 MiB · 2048 tokens of context',
        device: expect.stringMatching(
          /^Runs on WebAssembly with threads \(\d+ threads\) · loaded in [\d.]+ s · .* MiB/,
        ),
        error: '',
        steps: [
          expect.stringMatching(/^WebGPU: not used\. .*\[webgpu-no-adapter\]$/),
          'WebAssembly with threads: used.',
        ],
      });
      const reply = await page.ask(question);
      expect(reply).toMatchObject({ text: answer, figures: expect.stringMatching(figures), error: '' });
      const continued = await page.ask(beginning, { maxTokens: 48, mode: 'continue' });
      expect(continued.text).toBe(continuations.get('tiny-llama-Q8_0.gguf'));
      expect(continued.figures).toMatch(/reply 48 tokens, .*ended: the token limit$/);

      const byFile = await page.loadFiles([models.path('tiny-llama-F16.gguf')]);
      expect(byFile.model).toMatch(/F16\/F32 · 8\.\d+ MiB/);
      const other = await page.ask(beginning, { maxTokens: 48, mode: 'continue' });
      expect(other.text).toBe(continuations.get('tiny-llama-F16.gguf'));
      expect(page.failures).toEqual([]);
    }),
  );

  test(
    'without isolation it takes one thread, and says so',
    inBrowser(async (browser) => {
      const page = await TestPage.open(browser, plain.url);
      const { steps, device } = await page.loadUrl(`${plain.url}/models/tiny-llama-Q8_0.gguf`);
      expect(steps).toEqual([
        expect.stringContaining('[webgpu-no-adapter]'),
        expect.stringMatching(/^WebAssembly with threads: not used\. .*cross-origin isolated.*\[device-no-threads\]$/),
        'WebAssembly, one thread: used.',
      ]);
      expect(device).toContain('(1 thread)');
      const continued = await page.ask(beginning, { maxTokens: 48, mode: 'continue' });
      expect(continued.text).toBe(continuations.get('tiny-llama-Q8_0.gguf'));
      expect(page.failures).toEqual([]);
    }),
  );

  test(
    'WebGPU computes when it is asked for, though the adapter is software; else that is a reason to leave it',
    inBrowser(async (browser) => {
      const page = await TestPage.open(browser, isolated.url);
      const model = `${isolated.url}/models/tiny-llama-Q8_0.gguf`;
      const { device, steps, error } = await page.loadUrl(model, 'webgpu');
      expect(error).toBe('');
      expect(steps).toEqual(['WebGPU: used.']);
      expect(device).toMatch(/^Runs on WebGPU \(.*swiftshader.*\)/i);
      expect(await page.ask(question)).toMatchObject({ text: answer, figures: expect.stringMatching(figures) });
      const continued = await page.ask(beginning, { maxTokens: 12, mode: 'continue' });
      expect(continuations.get('tiny-llama-Q8_0.gguf')!.startsWith(continued.text)).toBe(true);
      expect(continued.text.length).toBeGreaterThan(20);

      const chosen = await page.loadUrl(model);
      expect(chosen.steps).toEqual([
        expect.stringContaining('[webgpu-software-adapter]'),
        'WebAssembly with threads: used.',
      ]);
      expect(page.failures).toEqual([]);
    }, '--enable-unsafe-webgpu'),
  );

  test.each([
    // V8 has no WebAssembly without a compiler, and no vectors on a processor without SSE 4.1.
    ['no WebAssembly', '--js-flags=--jitless', 'device-no-wasm'],
    ['no SIMD', '--js-flags=--no-enable-sse4-1', 'device-no-simd'],
  ])('a browser with %s computes in plain JavaScript, and says what is missing', async (_, flag, code) => {
    await inBrowser(async (browser) => {
      const page = await TestPage.open(browser, isolated.url);
      const { steps, device, error } = await page.loadUrl(`${isolated.url}/models/tiny-llama-F16.gguf`);
      expect(error).toBe('');
      expect(steps).toEqual([
        expect.stringMatching(/^WebGPU: not used\..*\[webgpu-no-adapter\]$/),
        expect.stringMatching(new RegExp(`^WebAssembly with threads: not used\\..*\\[${code}\\]$`)),
        expect.stringMatching(new RegExp(`^WebAssembly, one thread: not used\\..*\\[${code}\\]$`)),
        'plain JavaScript, which is slow: used.',
      ]);
      expect(device).toContain('plain JavaScript');
      const { text } = await page.ask(beginning, { maxTokens: 8, mode: 'continue' });
      expect(text.length).toBeGreaterThan(10);
      expect(continuations.get('tiny-llama-F16.gguf')!.startsWith(text)).toBe(true);
      expect(page.failures).toEqual([]);
    }, flag)();
  });
});
