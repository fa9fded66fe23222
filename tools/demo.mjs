// The main job on the tiny model in this repository, as a user would do it: convert, quantize, compare perplexity, serve,
// ask one question. Every step is the `quern` command itself, printed before it runs.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const quernBin = join('apps', 'quern', 'bin', 'quern.js');
const out = 'out/demo';

/** Runs one quern command to its end; a failure ends the demo with the same exit code. */
function quern(...args) {
  console.log(`\n$ npx quern ${args.join(' ')}`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [quernBin, ...args], { stdio: 'inherit' });
    child.on('close', (code, signal) => (code === 0 ? resolve() : process.exit(code ?? (signal ? 1 : 0))));
  });
}

/** Starts the server on a free port and resolves with its process and address once it answers /health. */
async function serve(file) {
  console.log(`\n$ npx quern serve ${file} --port 0`);
  const child = spawn(process.execPath, [quernBin, 'serve', file, '--port', '0'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      process.stdout.write(chunk);
      const found = printed.match(/http:\/\/[\d.]+:\d+/);
      if (found) resolve(found[0]);
    });
    child.on('close', (code) => reject(new Error(`the server ended with code ${code} before it listened`)));
  });
  for (let tries = 0; tries < 300; tries++) {
    if ((await fetch(`${address}/health`)).ok) return { child, address };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGTERM');
  throw new Error('the server did not become healthy within 30 s');
}

const started = performance.now();
console.log('The whole path on a tiny model, in about 20 seconds on two cores; what it writes is in out/demo.');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const file = (type) => `${out}/tiny-llama-${type}.gguf`;

await quern('convert', 'test/models/tiny-llama', '-o', file('bf16'));
await quern('quantize', file('bf16'), '--type', 'Q8_0', '-o', file('Q8_0'));
await quern('quantize', file('bf16'), '--type', 'Q4_K_M', '-o', file('Q4_K_M'));
const text = ['--text', 'test/models/text/prose-test.txt', '--chunks', '20'];
await quern('eval', file('bf16'), file('Q8_0'), file('Q4_K_M'), ...text);

const { child, address } = await serve(file('Q4_K_M'));
try {
  const question = 'Tell me a story about a dog.';
  console.log(
    `\n$ curl ${address}/v1/chat/completions -d '{"messages":[{"role":"user","content":"${question}"}], ...}'`,
  );
  const response = await fetch(`${address}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: question }], max_tokens: 96, temperature: 0 }),
  });
  const reply = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(reply));
  console.log(`user:      ${question}\nassistant: ${reply.choices[0].message.content}`);
  console.log(`(${reply.usage.prompt_tokens} prompt tokens, ${reply.usage.completion_tokens} completion tokens)`);
} finally {
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  await ended;
}
console.log(`\nDone in ${Math.round((performance.now() - started) / 1000)} s.`);
