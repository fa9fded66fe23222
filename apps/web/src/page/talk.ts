// The lower half of the page: a conversation with the model, or a text that it continues.
import type { ChatMessage } from '@quern/tokenizer';
import type { LoadedModel, ReplyRequest } from '../protocol.ts';
import { elements, numberIn } from './elements.ts';
import { type ModelWorker, WorkerFailure } from './model-worker.ts';
import { errorLine, figuresLine } from './words.ts';

/** Returns what to call when another model is there, or none. */
export function setUpTalk(): (worker?: ModelWorker, model?: LoadedModel) => void {
  let worker: ModelWorker | undefined;
  let messages: ChatMessage[] = [];
  let replying = false;

  function setReplying(now: boolean): void {
    replying = now;
    elements.send.textContent = now ? 'Stop' : chatting() ? 'Send' : 'Continue';
  }

  function showMode(): void {
    elements.talkTitle.textContent = chatting() ? 'Chat' : 'Continue a text';
    elements.promptLabel.textContent = chatting() ? 'Message' : 'Text';
    setReplying(replying);
  }

  async function chat(content: string, own: ModelWorker): Promise<void> {
    const conversation = messages; // "New chat" starts another list while this reply may still end
    conversation.push({ role: 'user', content });
    const replied = await reply({ messages: conversation }, own);
    if (replied === undefined) conversation.pop();
    else conversation.push({ role: 'assistant', content: replied });
  }

  /** What the model wrote, or undefined when that failed. */
  async function reply(prompt: ReplyRequest['prompt'], own: ModelWorker): Promise<string | undefined> {
    const turn = addTurn('assistant');
    const text = turn.appendChild(document.createTextNode(''));
    const request = { prompt, maxTokens: numberIn(elements.maxTokens), sampling: sampling() };
    setReplying(true);
    try {
      const figures = await own.reply(request, (more) => {
        text.data += more;
        turn.scrollIntoView({ block: 'nearest' });
      });
      turn.append(figuresOf(figuresLine(figures)));
      return text.data;
    } catch (error) {
      if (!(error instanceof WorkerFailure)) throw error;
      if (worker !== own) return undefined; // its model is gone, and with it the reason
      if (text.data === '') turn.remove();
      addTurn('error', errorLine(error.data)).setAttribute('role', 'alert');
      elements.send.disabled = own.broken;
      return undefined;
    } finally {
      if (worker === own) setReplying(false);
    }
  }

  elements.talkForm.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!worker) return;
    if (replying) return worker.stop();
    const text = elements.prompt.value;
    if (text.trim() === '') return;
    elements.prompt.value = '';
    addTurn('user', text);
    void (chatting() ? chat(text, worker) : reply({ text }, worker));
  });
  elements.prompt.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!replying && !elements.send.disabled) elements.talkForm.requestSubmit();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && replying) worker?.stop();
  });
  elements.clear.addEventListener('click', () => {
    if (replying) worker?.stop();
    messages = [];
    elements.log.replaceChildren();
    elements.prompt.focus();
  });
  elements.mode.addEventListener('change', showMode);

  return (next, model) => {
    worker = next;
    messages = [];
    elements.log.replaceChildren();
    elements.talk.hidden = !next;
    elements.send.disabled = false;
    if (!model) return setReplying(false);
    elements.mode.value = model.hasChatTemplate ? 'chat' : 'continue';
    elements.mode.disabled = !model.hasChatTemplate;
    setReplying(false);
    showMode();
    elements.prompt.focus();
  };
}

const chatting = (): boolean => elements.mode.value === 'chat';

const sampling = (): ReplyRequest['sampling'] => ({
  temperature: numberIn(elements.temperature),
  topP: numberIn(elements.topP),
  seed: numberIn(elements.seed),
});

function addTurn(kind: 'user' | 'assistant' | 'error', text = ''): HTMLElement {
  const turn = document.createElement('div');
  turn.className = `turn ${kind}`;
  turn.textContent = text;
  elements.log.append(turn);
  turn.scrollIntoView({ block: 'nearest' });
  return turn;
}

function figuresOf(line: string): HTMLElement {
  const figures = document.createElement('span');
  figures.className = 'figures';
  figures.textContent = line;
  return figures;
}
