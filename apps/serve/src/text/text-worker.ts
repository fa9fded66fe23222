// The thread that works on long texts: encodes them and renders long conversations, so that the server's own thread answers others
// meanwhile. It has a tokenizer of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData } from '@quern/engine';
import { openModel } from '@quern/models';
import { encodePairs, renderChat, tokenizerFromGguf } from '@quern/tokenizer';
import type { TextAnswer, TextJob, TextResult, TextWorkerData } from './text-thread.ts';

const { path, override } = workerData as TextWorkerData;
const port = parentPort!;

const opening = openModel(path, { override }).then(async (view) => {
  try {
    return tokenizerFromGguf(view.metadata);
  } finally {
    await view.close();
  }
});
// Whoever asks first is told.
opening.catch(() => {});

port.on('message', async (job: TextJob) => {
  try {
    const result = await resultOf(job);
    port.postMessage({ result } satisfies TextAnswer, memoryOf(result));
  } catch (error) {
    port.postMessage({ error: errorToData(error) } satisfies TextAnswer);
  }
});

async function resultOf(job: TextJob): Promise<TextResult> {
  if (job.type === 'render') return renderChat(job.options);
  const tokenizer = await opening;
  return job.type === 'pairs'
    ? encodePairs(tokenizer, job.first, job.seconds)
    : job.texts.map((text) => tokenizer.encode(text, job.options));
}

/** Tokens go without a copy. */
const memoryOf = (result: TextResult): ArrayBuffer[] =>
  typeof result === 'string' ? [] : result.map((one) => ('tokens' in one ? one.tokens : one).buffer as ArrayBuffer);
