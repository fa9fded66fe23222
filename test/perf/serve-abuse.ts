// How soon `quern serve` answers others while clients abuse it: twenty prompts of 15 MB, bodies at the limit of size, parts or depth, slow
// senders, 200 clients that vanish, and clients that read nothing. Beside each, one connection asks `/api/version` (the event loop) and
// another `/health` (the engine) over and over; what they wait at most is what a client can be held up by.
//
// Run: node --import tsx test/perf/serve-abuse.ts <model> [--threads 1] [--rounds 3] [--only <part of a row's name>] [--json]
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { largeBodies, oneText, textOfMegabytes } from './abusive-bodies.ts';
import { ask, type Wait } from './asked-meanwhile.ts';
import { type ServedProcess, serveInProcess } from './served-process.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const model = positionals[0]!;
const chats = '/v1/chat/completions';

interface Reply {
  readonly status: number;
  readonly ms: number;
}

/** A connection for each: of a body that is refused before its end, the rest has nowhere to go, and breaks the connection. */
const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

/** @throws Error when the server ends the connection without an answer */
function post(url: string, body: string): Promise<Reply> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: 'POST', headers: { 'content-type': 'application/json' } });
    call.on('error', reject);
    call.on('response', (response: IncomingMessage) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode!, ms: performance.now() - start }));
    });
    call.end(body);
  });
}

interface Waits {
  readonly asked: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** The most that the server's main thread worked during one. */
  readonly worked: number | undefined;
}

function summary(waits: readonly Wait[]): Waits {
  const sorted = waits.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const worked = waits[0]?.workedMs === undefined ? undefined : Math.max(...waits.map(({ workedMs }) => workedMs!));
  return { asked: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1), worked };
}

interface Row {
  readonly what: string;
  /** How many had each status. */
  readonly answers: Record<string, number>;
  readonly slowestMs: number;
  readonly version: Waits;
  readonly health: Waits;
  readonly residentMiB: number | undefined;
}

async function row(server: ServedProcess, what: string, work: () => Promise<Reply[]>): Promise<Row> {
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, server.residentMiB() ?? 0)), 20);
  const asking = await Promise.all([ask(server, '/api/version'), ask(server, '/health')]);
  const replies = await work().finally(() => clearInterval(watch));
  const [version, health] = await Promise.all(asking.map((one) => one.end()));
  const answers: Record<string, number> = {};
  for (const { status } of replies) answers[status] = (answers[status] ?? 0) + 1;
  return {
    ...{ what, answers, slowestMs: Math.max(...replies.map(({ ms }) => ms)) },
    ...{ version: summary(version!), health: summary(health!), residentMiB: peak || undefined },
  };
}

/** An answered chat, as a client that behaves sees it. */
const next = (server: ServedProcess): Promise<Reply> => post(server.url + chats, oneText('a cat'));

async function connected(server: ServedProcess): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

async function openStream(server: ServedProcess, maxTokens: number): Promise<Socket> {
  const socket = await connected(server);
  const body = JSON.stringify({ prompt: 'a cat', stream: true, max_tokens: maxTokens, ignore_eos: true });
  socket.write(head('/v1/completions', body.length) + body);
  return socket;
}

/** 200 clients that ask for streams and go after 0 to 40 ms; then one that stays. */
async function vanishing(server: ServedProcess): Promise<Reply[]> {
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const socket = await openStream(server, 1000);
      await setTimeout(i % 40);
      socket.destroy();
    }),
  );
  return [await next(server)];
}

/** Eight clients that read nothing of long streams, while others chat. */
async function reading(server: ServedProcess): Promise<Reply[]> {
  const sockets = await Promise.all(Array.from({ length: 8 }, () => openStream(server, 1500)));
  for (const socket of sockets) socket.pause();
  const replies: Reply[] = [];
  for (let i = 0; i < 20; i++) replies.push(await next(server));
  for (const socket of sockets) socket.destroy();
  return replies;
}

/** Sixteen clients that send a byte of 15 MB now and then, while another sends as much at once. */
async function slowSending(server: ServedProcess): Promise<Reply[]> {
  const sockets = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const socket = await connected(server);
      socket.write(`${head(chats, 15e6)}{"messages": [`);
      return socket;
    }),
  );
  const dripping = setInterval(() => {
    for (const socket of sockets) socket.write(' ');
  }, 100);
  const reply = await post(server.url + chats, oneText(textOfMegabytes(15)));
  clearInterval(dripping);
  for (const socket of sockets) socket.destroy();
  return [reply];
}

const many = (server: ServedProcess, count: number, body: string): Promise<Reply[]> =>
  Promise.all(Array.from({ length: count }, () => post(server.url + chats, body)));

const long = oneText(textOfMegabytes(15));
const rows: Readonly<Record<string, (server: ServedProcess) => Promise<Reply[]>>> = {
  'nothing else': (server) => setTimeout(500).then(async () => [await next(server)]),
  'twenty prompts of 15 MB': (server) => many(server, 20, long),
  ...Object.fromEntries(
    Object.entries(largeBodies).map(([what, make]) => [
      what,
      async (server: ServedProcess) => {
        const [path, body] = make();
        return [await post(server.url + path, body)];
      },
    ]),
  ),
  '200 clients that vanish, then one that stays': vanishing,
  '8 clients that read nothing, 20 chats beside': reading,
  '16 clients that send 15 MB slowly, one that does not': slowSending,
};

const settings = ['--device', 'cpu', '--threads', values.threads, '--parallel', '16', '--queue', '256'];
await using server = await serveInProcess(model, [...settings, '--ctx-size', '2048']);
await next(server);
const found: Row[] = [];
for (let round = 0; round < Number(values.rounds); round++)
  for (const [what, work] of Object.entries(rows))
    if (what.includes(values.only)) found.push(await row(server, what, () => work(server)));

const machine = { cpu: cpus()[0]?.model, node: process.version, load: loadavg()[0]! };
if (values.json) console.log(JSON.stringify({ machine, model: basename(model), rows: found }, null, 2));
else {
  console.log(
    `${machine.cpu}, Node ${machine.node}, ${values.threads} compute threads, load ${machine.load.toFixed(1)}, ${basename(model)}`,
  );
  console.log(
    '\n| beside | answers | slowest | /api/version p50, p99, longest (worked) | /health p50, p99, longest (worked) | resident at most |\n|---|---|---|---|---|---|',
  );
  const times = ({ p50, p99, longest, worked }: Waits): string =>
    `${[p50, p99, longest].map((ms) => ms.toFixed(1)).join(', ')} (${worked?.toFixed(1) ?? '–'}) ms`;
  for (const { what, answers, slowestMs, version, health, residentMiB } of found) {
    const statuses = Object.entries(answers).map(([status, count]) => `${count} × ${status}`);
    console.log(
      `| ${what} | ${statuses.join()} | ${slowestMs.toFixed(0)} ms | ${times(version)} | ${times(health)} | ${residentMiB?.toFixed(0) ?? '–'} MiB |`,
    );
  }
}
