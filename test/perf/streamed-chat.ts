// A client of /v1/chat/completions that looks at the clock: streams of server-sent events, read with as little work as can be, since
// what the client does counts as the server's time on the same machine.
import { Agent, request } from 'node:http';

export interface ReplyTimes {
  /** From asking to the first text. */
  readonly firstMs: number;
  /** From the first text to the event that says why the reply ended, which comes with the last token. */
  readonly restMs: number;
}

export interface StreamTimes extends ReplyTimes {
  /** Between pieces of text. */
  readonly gapsMs: readonly number[];
}

export interface ChatClient {
  stream(prompt: string, maxTokens: number): Promise<StreamTimes>;
  close(): void;
}

/** @param url of the server */
export function chatClient(url: string): ChatClient {
  // One connection for each of those that ask together, kept as clients keep theirs.
  const agent = new Agent({ keepAlive: true });

  function stream(prompt: string, maxTokens: number): Promise<StreamTimes> {
    const body = JSON.stringify({
      ...{ model: 'any', messages: [{ role: 'user', content: prompt }], stream: true },
      // As many tokens as asked for, the same whenever they are asked for.
      ...{ max_tokens: maxTokens, ignore_eos: true, temperature: 0 },
    });
    return new Promise((resolve, reject) => {
      const start = performance.now();
      const texts: number[] = [];
      let finished = 0;
      let rest = '';
      const read = (event: string): void => {
        if (event === 'data: [DONE]' || !event.startsWith('data: ')) return;
        const { choices, error } = JSON.parse(event.slice(6));
        if (error !== undefined) throw new Error(error.message);
        const choice = choices[0];
        if (choice === undefined) return;
        if (choice.delta.content || choice.delta.reasoning_content) texts.push(performance.now());
        if (choice.finish_reason) finished = performance.now();
      };
      const call = request(`${url}/v1/chat/completions`, {
        ...{ agent, method: 'POST' },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      call.on('error', reject);
      call.on('response', (response) => {
        response.setEncoding('utf8');
        response.on('error', reject);
        response.on('data', (piece: string) => {
          if (response.statusCode !== 200) {
            rest += piece;
            return;
          }
          const events = (rest + piece).split('\n\n');
          rest = events.pop()!;
          try {
            for (const event of events) read(event);
          } catch (error) {
            reject(error);
          }
        });
        response.on('end', () => {
          if (texts.length === 0 || finished === 0)
            return reject(new Error(`status ${response.statusCode}, no whole reply: ${rest}`));
          const gapsMs = texts.slice(1).map((time, i) => time - texts[i]!);
          resolve({ firstMs: texts[0]! - start, gapsMs, restMs: finished - texts[0]! });
        });
      });
      call.end(body);
    });
  }
  return { stream, close: () => agent.destroy() };
}
