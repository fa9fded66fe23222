// The page as a person uses it: fields are filled, buttons pressed, and what is visible is read.
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface Outcome {
  /** `loaded` lines, empty when it failed. */
  readonly model: string;
  readonly device: string;
  /** The error that is shown, or empty. */
  readonly error: string;
  /** What is said of each device that was tried. */
  readonly steps: readonly string[];
}

export interface Reply {
  /** Text of the last reply, without its figures. */
  readonly text: string;
  readonly figures: string;
  readonly error: string;
}

type Device = 'auto' | 'webgpu' | 'wasm-threads' | 'wasm' | 'javascript';

export class TestPage {
  readonly page: Page;
  /** Errors that nobody caught. */
  readonly failures: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.failures.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.failures.push(message.text());
    });
  }

  static async open(browser: Browser | BrowserContext, url: string): Promise<TestPage> {
    const opened = new TestPage(await browser.newPage());
    // Playwright's own is half a minute, which a busy machine needs; a hang ends with the test's.
    opened.page.setDefaultTimeout(0);
    await opened.page.goto(`${url}/`);
    return opened;
  }

  async loadUrl(url: string, device: Device = 'auto'): Promise<Outcome> {
    await this.page.locator('#device').selectOption(device);
    await this.page.locator('#url').fill(url);
    await this.page.locator('#load-url').click();
    return this.#outcome();
  }

  async loadFiles(files: string[], device: Device = 'auto'): Promise<Outcome> {
    await this.page.locator('#device').selectOption(device);
    await this.page.locator('#files').setInputFiles(files);
    return this.#outcome();
  }

  /** Greedy, as is everything here that is compared. */
  async ask(
    text: string,
    { maxTokens = 64, mode = 'chat' }: { maxTokens?: number; mode?: string } = {},
  ): Promise<Reply> {
    await this.set({ mode, temperature: '0', 'max-tokens': String(maxTokens) });
    await this.page.locator('#prompt').fill(text);
    await this.page.locator('#prompt').press('Enter');
    return this.settled();
  }

  /** Fields of the settings, by id. */
  async set(settings: Record<string, string>): Promise<void> {
    if (!(await this.page.locator('#temperature').isVisible())) await this.page.getByText('Settings').click();
    for (const [id, value] of Object.entries(settings)) {
      const field = this.page.locator(`#${id}`);
      if (id !== 'mode') await field.fill(value);
      else if (await field.isEnabled()) await field.selectOption(value);
    }
  }

  /** Waits until the reply under way is over. */
  async settled(): Promise<Reply> {
    await this.page.waitForFunction(() => document.getElementById('send')!.textContent !== 'Stop');
    return this.page.evaluate(() => {
      const last = document.querySelector('#log .turn:last-child');
      const figures = last?.querySelector('.figures');
      const failed = last?.classList.contains('error') ?? false;
      const text = last?.firstChild?.nodeType === Node.TEXT_NODE ? (last.firstChild as Text).data : '';
      return { text: failed ? '' : text, figures: figures?.textContent ?? '', error: failed ? text : '' };
    });
  }

  async #outcome(): Promise<Outcome> {
    await this.page.waitForFunction(() => document.getElementById('loading')!.hidden);
    return this.page.evaluate(() => {
      const shown = (id: string) => {
        const element = document.getElementById(id)!;
        return element.checkVisibility() ? element.textContent! : '';
      };
      return {
        model: shown('model-line'),
        device: shown('device-line'),
        error: shown('load-error'),
        steps: [...document.querySelectorAll('#steps li')].map((item) => item.textContent!),
      };
    });
  }
}
