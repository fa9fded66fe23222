// The elements of public/index.html that code touches.

const byId = <Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind => {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return element;
};

export const elements = {
  loadForm: byId('load-form', HTMLFormElement),
  url: byId('url', HTMLInputElement),
  models: byId('models', HTMLDataListElement),
  files: byId('files', HTMLInputElement),
  device: byId('device', HTMLSelectElement),
  context: byId('context', HTMLInputElement),
  loading: byId('loading', HTMLElement),
  progress: byId('progress', HTMLProgressElement),
  progressText: byId('progress-text', HTMLElement),
  cancelLoad: byId('cancel-load', HTMLButtonElement),
  loadError: byId('load-error', HTMLElement),
  loaded: byId('loaded', HTMLElement),
  modelLine: byId('model-line', HTMLElement),
  deviceLine: byId('device-line', HTMLElement),
  steps: byId('steps', HTMLUListElement),
  talk: byId('talk', HTMLElement),
  talkTitle: byId('talk-title', HTMLElement),
  talkForm: byId('talk-form', HTMLFormElement),
  log: byId('log', HTMLElement),
  promptLabel: byId('prompt-label', HTMLElement),
  prompt: byId('prompt', HTMLTextAreaElement),
  send: byId('send', HTMLButtonElement),
  clear: byId('clear', HTMLButtonElement),
  mode: byId('mode', HTMLSelectElement),
  temperature: byId('temperature', HTMLInputElement),
  topP: byId('top-p', HTMLInputElement),
  maxTokens: byId('max-tokens', HTMLInputElement),
  seed: byId('seed', HTMLInputElement),
};

/** The number in a field, or undefined when it is empty. */
export const numberIn = (input: HTMLInputElement): number | undefined =>
  input.value === '' ? undefined : Number(input.value);
