// `quern serve` as its clients find it: requests per second and the times to the first token and between tokens of 1, 16 and 64 clients
// that stream chats of 32 tokens; what a token costs over HTTP more than in the engine asked directly, turn by turn, in time and in
// processor time of the thread that asks the engine; memory of the server's process over 10,000 requests.
//
// No server of llama.cpp comes out of npm: for a GGUF file, its batched decoding stands beside the tokens per second, without HTTP,
// templates or sampling.
//
// Run: node --import tsx test/perf/serve.ts <model> [--clients 1,16,64] [--seconds 15] [--threads 2] [--parallel 16] [--requests 10000]
//      [--only overhead,clients,memory] [--json]         the default leaves out memory, which takes minutes
import { availableParallelism, cpus, loadavg } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '@quern/engine';
import { openModel } from '@quern/models';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { openNativeModel, oracleUnavailable } from '../oracle/src/index.ts';
import { mainThreadMs } from './processor-time.mjs';
import { type ServedProcess, serveInProcess } from './served-process.ts';
import { type ChatClient, chatClient, type ReplyTimes, type StreamTimes } from './streamed-chat.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '15' },
    clients: { type: 'string', default: '1,16,64' },
    threads: { type: 'string', default: String(availableParallelism()) },
    parallel: { type: 'string', default: '16' },
    requests: { type: 'string', default: '10000' },
    only: { type: 'string', default: 'overhead,clients' },
    json: { type: 'boolean', default: false },
  },
});
const model = positionals[0]!;
const seconds = Number(values.seconds);
const threads = Number(values.threads);
const parallel = Number(values.parallel);
const replyTokens = 32;
const longReplyTokens = 160;
const contextTokens = 256;
const MIB = 2 ** 20;
const cacheRamMib = 8;

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))]!;
}
const median = (times: readonly number[]): number => quantile(times, 0.5);

// No two alike, so that nothing but the template's beginning is found in the prefix cache.
let prompts = 0;
const nextPrompt = (): string => `${(prompts++).toString(36)}: tell me a story about a cat and a dog.`;

const served = (): Promise<ServedProcess> =>
  serveInProcess(model, [
    ...['--device', 'cpu', '--threads', `${threads}`, '--parallel', `${parallel}`, '--ctx-size', `${contextTokens}`],
    ...['--cache-tokens', `${contextTokens * parallel}`, '--cache-ram', `${cacheRamMib}`, '--queue', '64'],
  ]);

/** The engine with the server's settings, in this process. */
const direct = (): Promise<Engine> =>
  Engine.start({
    ...{ modelPath: model, threads, activations: 'int8', cacheTypes: { k: 'F16', v: 'F16' } },
    ...{ maxSequences: parallel, contextTokens, cacheTokens: contextTokens * parallel },
    cacheRamBytes: cacheRamMib * MIB,
  });

/** The bias by which the server keeps a reply from ending early. */
async function endsForbidden(): Promise<Map<number, number>> {
  const view = await openModel(model);
  const { endOfGeneration } = tokenizerFromGguf(view.metadata);
  await view.close();
  return new Map([...endOfGeneration].map((id) => [id, Number.NEGATIVE_INFINITY]));
}

/** The tokens that the server makes of a chat. */
async function tokensOf(url: string, prompt: string): Promise<Int32Array> {
  const ask = async (path: string, body: object) =>
    (await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body), headers })).json();
  const headers = { 'content-type': 'application/json' };
  const { prompt: content } = await ask('/apply-template', { messages: [{ role: 'user', content: prompt }] });
  return Int32Array.from((await ask('/tokenize', { content, add_special: false })).tokens);
}

interface Overhead {
  readonly requests: number;
  readonly tokenMs: { readonly http: number; readonly direct: number; readonly difference: number };
  readonly firstMs: { readonly http: number; readonly direct: number; readonly difference: number };
  /** What the thread that asks the engine works for a token: the server's main thread, or this process's. */
  readonly workedMs?: { readonly http: number; readonly direct: number; readonly difference: number };
}

/** Of the tokens that a long reply has more than a short one, since a request has costs of its own. */
async function workedForToken(pid: number, reply: (tokens: number) => Promise<unknown>): Promise<number> {
  const worked = async (tokens: number): Promise<number> => {
    const before = mainThreadMs(pid)!;
    await reply(tokens);
    return mainThreadMs(pid)! - before;
  };
  return ((await worked(longReplyTokens)) - (await worked(replyTokens))) / (longReplyTokens - replyTokens);
}

async function overhead({ url, pid }: ServedProcess, client: ChatClient): Promise<Overhead> {
  const engine = await direct();
  const sampling = { temperature: 0, logitBias: await endsForbidden() };
  const ask = async (tokens: Int32Array, maxTokens = replyTokens): Promise<ReplyTimes> => {
    const options = { maxTokens, sampling };
    const start = performance.now();
    let first = 0;
    for await (const _ of engine.generate(tokens, options)) first ||= performance.now();
    return { firstMs: first - start, restMs: performance.now() - first };
  };
  const over: ReplyTimes[] = [];
  const within: ReplyTimes[] = [];
  const worked: (readonly [http: number, direct: number])[] = [];
  const goesOn = forSeconds(2 * seconds);
  for (let round = 0; goesOn() || over.length < 3; round++) {
    const prompt = nextPrompt();
    const tokens = await tokensOf(url, prompt);
    const pair = [await client.stream(prompt, replyTokens), await ask(tokens)] as const;
    const work = mainThreadMs(pid) !== undefined && [
      await workedForToken(pid, (count) => client.stream(prompt, count)),
      await workedForToken(process.pid, (count) => ask(tokens, count)),
    ];
    // The first rounds compile.
    if (round < 3) continue;
    if (work) worked.push([work[0]!, work[1]!]);
    over.push(pair[0]);
    within.push(pair[1]);
  }
  await engine.close();
  const compare = (of: (times: ReplyTimes) => number) => {
    const [http, alone] = [median(over.map(of)), median(within.map(of))];
    // Of each pair, so that what slows the machine down for a while slows both.
    const difference = median(over.map((times, i) => of(times) - of(within[i]!)));
    return { http, direct: alone, difference };
  };
  const workedMs = () => ({
    http: median(worked.map(([http]) => http)),
    direct: median(worked.map(([, alone]) => alone)),
    difference: median(worked.map(([http, alone]) => http - alone)),
  });
  return {
    requests: over.length,
    ...(worked.length > 0 && { workedMs: workedMs() }),
    tokenMs: compare(({ restMs }) => restMs / (replyTokens - 1)),
    firstMs: compare(({ firstMs }) => firstMs),
  };
}

/** `clients` ask one request after the other while `goesOn` says so. */
async function together(
  client: ChatClient,
  { clients, maxTokens }: { clients: number; maxTokens: number },
  goesOn: () => boolean,
): Promise<StreamTimes[]> {
  const found: StreamTimes[] = [];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (goesOn()) found.push(await client.stream(nextPrompt(), maxTokens));
    }),
  );
  return found;
}

/** True for so long from now on. */
function forSeconds(count: number): () => boolean {
  const until = performance.now() + 1000 * count;
  return () => performance.now() < until;
}

interface Level {
  readonly clients: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  readonly firstMs: { readonly p50: number; readonly p99: number };
  readonly gapMs: { readonly p50: number; readonly p99: number };
  /** As many sequences at a time as the server takes of these clients. */
  readonly nativeTokensPerSecond?: number;
}

function nativeTokensPerSecond(sequences: number): number | undefined {
  if (oracleUnavailable || !model.endsWith('.gguf')) return undefined;
  const native = openNativeModel(model);
  const steps = native.decodeTogether(sequences, replyTokens, { threads });
  native.close();
  return (1000 * sequences) / median(steps);
}

async function level(client: ChatClient, clients: number): Promise<Level> {
  const load = { clients, maxTokens: replyTokens };
  await together(client, load, forSeconds(1)); // compiles
  const start = performance.now();
  const found = await together(client, load, forSeconds(seconds));
  const requestsPerSecond = (1000 * found.length) / (performance.now() - start);
  const spread = (times: readonly number[]) => ({ p50: median(times), p99: quantile(times, 0.99) });
  return {
    ...{ clients, requests: found.length, requestsPerSecond, tokensPerSecond: requestsPerSecond * replyTokens },
    firstMs: spread(found.map(({ firstMs }) => firstMs)),
    gapMs: spread(found.flatMap(({ gapsMs }) => gapsMs)),
    nativeTokensPerSecond: nativeTokensPerSecond(Math.min(clients, parallel)),
  };
}

interface Resident {
  readonly requests: number;
  readonly mib: number | undefined;
}

async function memory(): Promise<Resident[]> {
  await using server = await served();
  const client = chatClient(server.url);
  const total = Number(values.requests);
  const found: Resident[] = [];
  let asked = 0;
  for (const share of [0.1, 0.5, 1]) {
    const requests = Math.round(share * total);
    let left = requests - asked;
    await together(client, { clients: 4, maxTokens: 2 }, () => left-- > 0);
    asked = requests;
    found.push({ requests, mib: server.residentMiB() });
  }
  client.close();
  return found;
}

const isWanted = (name: string): boolean => values.only.split(',').includes(name);
const report: { overhead?: Overhead; levels?: Level[]; memory?: Resident[] } = {};
if (isWanted('overhead') || isWanted('clients')) {
  await using server = await served();
  const client = chatClient(server.url);
  if (isWanted('overhead')) report.overhead = await overhead(server, client);
  if (isWanted('clients')) {
    report.levels = [];
    for (const clients of values.clients.split(',').map(Number)) report.levels.push(await level(client, clients));
  }
  client.close();
}
if (isWanted('memory')) report.memory = await memory();

const machine = { cpu: cpus()[0]?.model, node: process.version, load: loadavg()[0]! };
if (values.json)
  console.log(JSON.stringify({ machine, model: basename(model), threads, parallel, ...report }, null, 2));
else print();

function print(): void {
  console.log(
    `${machine.cpu}, Node ${machine.node}, ${threads} threads, load ${machine.load.toFixed(1)}, ${basename(model)}, ${replyTokens} tokens a reply, ${parallel} computed together`,
  );
  if (report.overhead) {
    const { requests, tokenMs, firstMs, workedMs } = report.overhead;
    console.log(
      `\n| medians of ${requests} pairs, 1 client | over HTTP | engine alone | difference |\n|---|---|---|---|`,
    );
    const rows = {
      'a token': tokenMs,
      'first token': firstMs,
      ...(workedMs && { 'a token, work of the thread': workedMs }),
    };
    for (const [name, { http, direct, difference }] of Object.entries(rows))
      console.log(`| ${name} | ${http.toFixed(3)} ms | ${direct.toFixed(3)} ms | ${difference.toFixed(3)} ms |`);
  }
  if (report.levels) {
    console.log(
      '\n| clients | requests/s | tokens/s | first token p50, p99 | between tokens p50, p99 | llama.cpp’s batched decoding, tokens/s |\n|---|---|---|---|---|---|',
    );
    for (const { clients, requestsPerSecond, tokensPerSecond, firstMs, gapMs, nativeTokensPerSecond } of report.levels)
      console.log(
        `| ${clients} | ${requestsPerSecond.toFixed(1)} | ${tokensPerSecond.toFixed(0)} | ${firstMs.p50.toFixed(1)}, ${firstMs.p99.toFixed(1)} ms | ${gapMs.p50.toFixed(2)}, ${gapMs.p99.toFixed(2)} ms | ${nativeTokensPerSecond?.toFixed(0) ?? '–'} |`,
      );
  }
  if (report.memory) {
    console.log('\n| requests of 2 tokens | resident MiB of the server |\n|---|---|');
    for (const { requests, mib } of report.memory) console.log(`| ${requests} | ${mib?.toFixed(0) ?? '–'} |`);
  }
}
