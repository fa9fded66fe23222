// The worker that holds a model: it loads, then replies, one request at a time.
import { type EngineCore, errorToData } from '@quern/engine';
import { describeModel } from '@quern/models';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import type { FromWorker, LoadedModel, LoadRequest, ReplyRequest, ToWorker } from '../protocol.ts';
import { loadModelOnBestDevice } from './load-model.ts';
import { openPlace } from './open-place.ts';
import { RequestRefused, reply } from './reply.ts';

const send = (message: FromWorker): void => postMessage(message);

let ready: { readonly core: EngineCore; readonly tokenizer: Tokenizer } | undefined;
let stopping = new AbortController();

async function load(request: LoadRequest): Promise<void> {
  const startMs = performance.now();
  const view = await openPlace(request.place);
  try {
    const { architecture, parameters, typeHistogram, dataBytes } = describeModel(view);
    const tokenizer = tokenizerFromGguf(view.metadata);
    const { core, info, step, deviceDetail } = await loadModelOnBestDevice(view, request, {
      onTried: (tried, refused) =>
        send({ type: 'tried', step: tried, ...(refused && { refused: errorToData(refused) }) }),
      onProgress: (doneBytes, totalBytes) => send({ type: 'progress', doneBytes, totalBytes }),
    });
    ready = { core, tokenizer };
    const name = view.metadata.get('general.name')?.value;
    const { weightBytes, kvBytes, activationBytes } = info.memory;
    const model: LoadedModel = {
      name: typeof name === 'string' ? name : view.path,
      architecture,
      parameters,
      types: Object.entries(typeHistogram)
        .sort(([, a], [, b]) => b.bytes - a.bytes)
        .map(([type]) => type),
      fileBytes: dataBytes,
      memoryBytes: weightBytes + kvBytes + activationBytes,
      contextTokens: info.contextTokens,
      hasChatTemplate: tokenizer.chatTemplate !== undefined,
      step,
      deviceDetail,
      slowTypes: info.slowTypes,
      loadMs: performance.now() - startMs,
    };
    send({ type: 'loaded', model });
  } finally {
    await view.close();
  }
}

async function answer(request: ReplyRequest): Promise<void> {
  stopping = new AbortController();
  try {
    const onText = (text: string) => send({ type: 'text', text });
    send({ type: 'replied', figures: await reply({ ...ready!, request, signal: stopping.signal, onText }) });
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    send({ type: 'refused', error: errorToData(error.cause) });
  }
}

addEventListener('message', ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === 'stop') stopping.abort();
  else {
    const work = message.type === 'load' ? load(message) : answer(message);
    work.catch((error: unknown) => send({ type: 'broken', error: errorToData(error) }));
  }
});
