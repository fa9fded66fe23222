// The upper half of the page: which model, on which device, and what came of it.
import { formatBytes } from '@quern/terminal';
import type { LoadedModel, LoadRequest, TriedStep } from '../protocol.ts';
import { elements, numberIn } from './elements.ts';
import { ModelWorker, WorkerFailure } from './model-worker.ts';
import { deviceLine, errorLine, modelLine, triedLine } from './words.ts';

/** @param onModel hears of every model that is loaded, and of none when the last one is gone */
export function setUpLoading(onModel: (worker?: ModelWorker, model?: LoadedModel) => void): void {
  let worker: ModelWorker | undefined;

  async function load(place: LoadRequest['place']): Promise<void> {
    worker?.close();
    onModel();
    const own = new ModelWorker();
    worker = own;
    show('loading');
    elements.steps.replaceChildren();
    elements.progress.removeAttribute('value');
    elements.progressText.textContent = 'reading the header…';
    const request: LoadRequest = {
      place,
      device: elements.device.value as LoadRequest['device'],
      contextTokens: numberIn(elements.context),
    };
    try {
      const model = await own.load(request, { onTried: showTried, onProgress: showProgress });
      elements.modelLine.textContent = modelLine(model);
      elements.deviceLine.textContent = deviceLine(model);
      show('loaded');
      onModel(own, model);
    } catch (error) {
      if (!(error instanceof WorkerFailure)) throw error;
      if (worker !== own) return; // another load has taken over
      own.close();
      elements.loadError.textContent = errorLine(error.data);
      show('failed');
    }
  }

  void offerModels();
  elements.loadForm.addEventListener('submit', (event) => {
    event.preventDefault();
    const address = elements.url.value.trim();
    if (address === '') return elements.url.focus();
    if (!URL.canParse(address, location.href)) {
      elements.loadError.textContent = errorLine({ code: 'web-bad-address', message: `${address} is no address.` });
      return show('failed');
    }
    void load({ url: new URL(address, location.href).href });
  });
  elements.files.addEventListener('change', () => {
    const files = [...(elements.files.files ?? [])];
    if (files.length > 0) void load({ files });
    elements.files.value = ''; // so that the same file can be chosen again
  });
  elements.cancelLoad.addEventListener('click', () => {
    worker?.close();
    worker = undefined;
    show('nothing');
  });
}

/** The server of `npm run web --models` has a list; the site by itself has an empty one. */
async function offerModels(): Promise<void> {
  const models: unknown = await fetch('models.json')
    .then((response) => (response.ok ? response.json() : []))
    .catch(() => []);
  for (const model of Array.isArray(models) ? models : []) {
    const option = document.createElement('option');
    option.value = `models/${model}`;
    elements.models.append(option);
  }
}

function show(state: 'nothing' | 'loading' | 'loaded' | 'failed'): void {
  elements.loading.hidden = state !== 'loading';
  elements.loaded.hidden = state !== 'loaded';
  elements.loadError.hidden = state !== 'failed';
  elements.steps.hidden = state === 'nothing';
}

function showTried(tried: TriedStep): void {
  const item = document.createElement('li');
  item.textContent = triedLine(tried);
  elements.steps.append(item);
}

function showProgress(doneBytes: number, totalBytes: number): void {
  elements.progress.max = totalBytes;
  elements.progress.value = doneBytes;
  elements.progressText.textContent = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
}
