// Tokens per second of the page ÷ wllama's (llama.cpp compiled to WebAssembly, npm @wllama/wllama), in one headless
// Chromium, same file, same prompt, same threads, turn by turn. Neither uses WebGPU. Both count by their own clocks:
// the page prints its figures, wllama answers with llama.cpp's `timings`.
//
// Run: npx tsx --conditions=source test/perf/browser.ts file.gguf [more.gguf …] [--threads 1] [--rounds 3]
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serveSite } from '@quern/web';
import type { BrowserContext, Page } from 'playwright-core';
import { sendFile } from '../../apps/web/src/server/send-file.ts';
import { launch, noChromium } from '../browser/chromium.ts';
import { TestPage } from '../browser/page.ts';

/** What these pages keep between calls. */
interface WllamaWindow extends Window {
  wllamaModule: Promise<typeof import('@wllama/wllama')>;
  wllama: InstanceType<typeof import('@wllama/wllama').Wllama>;
}

interface Rates {
  /** Tokens per second. */
  readonly prompt: number;
  readonly reply: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: '1' }, rounds: { type: 'string', default: '3' } },
});
const threads = Number(values.threads);
const rounds = Number(values.rounds);
const maxTokens = 48;
if (noChromium) throw new Error(noChromium);

/** About 200 tokens, another beginning each time: wllama would reuse what it computed of an equal one. */
const promptOf = (round: number): string =>
  `Round ${round}. ${'The miller ground the corn and went home. '.repeat(18)}`;

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

/** A page without content that may use threads, wllama's files, and the models. */
async function serveWllama(models: string): Promise<Server> {
  const files = dirname(fileURLToPath(import.meta.resolve('@wllama/wllama')));
  const server = createServer((request, response) => {
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') response.setHeader('content-type', 'text/html').end('<!doctype html><title>wllama</title>');
    else {
      const [folder, path] = pathname.startsWith('/models/') ? [models, pathname.slice(8)] : [files, pathname.slice(1)];
      sendFile(request, response, folder, path).catch(() => response.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function openWllama(context: BrowserContext, address: string, model: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address);
  // A module script: wllama's code must be loaded by the page itself.
  await page.addScriptTag({ type: 'module', content: "window.wllamaModule = import('/esm/index.js');" });
  await page.waitForFunction(() => 'wllamaModule' in window);
  await page.evaluate(
    async ([name, count]) => {
      const { Wllama, LoggerWithoutDebug } = await (window as unknown as WllamaWindow).wllamaModule;
      const instance = new Wllama({ default: '/esm/wasm/wllama.wasm' }, { logger: LoggerWithoutDebug });
      const file = await (await fetch(`/models/${name}`)).blob();
      await instance.loadModel([file], { n_ctx: 1024, n_threads: count, n_gpu_layers: 0, n_parallel: 1 });
      (window as unknown as WllamaWindow).wllama = instance;
    },
    [model, threads] as const,
  );
  return page;
}

async function askWllama(page: Page, prompt: string): Promise<Rates> {
  const timings = await page.evaluate(
    async ([text, count]) => {
      const options = { prompt: text, max_tokens: count, temperature: 0 };
      return (await (window as unknown as WllamaWindow).wllama.createCompletion(options)).timings!;
    },
    [prompt, maxTokens] as const,
  );
  return { prompt: timings.prompt_per_second, reply: timings.predicted_per_second };
}

async function askQuern(page: TestPage, prompt: string): Promise<Rates> {
  const { figures, error } = await page.ask(prompt, { maxTokens, mode: 'continue' });
  const found = /prompt \d+ tokens, ([\d.]+) tokens\/s · reply \d+ tokens, ([\d.]+)/.exec(figures);
  if (!found) throw new Error(error || `The page printed ${figures}`);
  return { prompt: Number(found[1]), reply: Number(found[2]) };
}

const browser = await launch();
const context = await browser.newContext();
// tsx names closures by a function of its own, which a page does not have.
await context.addInitScript('globalThis.__name = (closure) => closure');
console.log(`Chromium ${browser.version()}, ${threads} thread(s), medians of ${rounds} interleaved rounds`);
console.log('| file | work | quern tokens/s | wllama tokens/s | ratio |\n|---|---|---|---|---|');
for (const path of positionals) {
  const name = basename(path);
  const site = await serveSite({ models: dirname(path) });
  const server = await serveWllama(dirname(path));
  const quern = await TestPage.open(context, site.url);
  const device = threads === 1 ? 'wasm' : 'wasm-threads';
  const { error } = await quern.loadUrl(`${site.url}/models/${name}`, device);
  if (error) throw new Error(error);
  const wllama = await openWllama(context, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, name);
  const rates: Record<keyof Rates, [quern: number[], wllama: number[]]> = { prompt: [[], []], reply: [[], []] };
  for (let round = -1; round < rounds; round++) {
    const ours = await askQuern(quern, promptOf(round));
    const theirs = await askWllama(wllama, promptOf(round));
    if (round < 0) continue; // it warms both up
    for (const work of ['prompt', 'reply'] as const) {
      rates[work][0].push(ours[work]);
      rates[work][1].push(theirs[work]);
    }
  }
  for (const work of ['prompt', 'reply'] as const) {
    const [ours, theirs] = rates[work].map(median) as [number, number];
    console.log(`| ${name} | ${work} | ${ours.toFixed(1)} | ${theirs.toFixed(1)} | ${(ours / theirs).toFixed(2)} |`);
  }
  await quern.page.close();
  await wllama.close();
  await site.close();
  server.closeAllConnections();
  server.close();
}
await browser.close();
