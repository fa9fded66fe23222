// The browser of these tests: a Chromium that the machine has (Debian's package, or QUERN_CHROMIUM). Nothing is downloaded.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = [process.env.QUERN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = places.find((path) => path !== undefined && path !== '' && existsSync(path));

/** Why these tests cannot run, when that is so. */
export const noChromium = executablePath
  ? undefined
  : 'no Chromium: install the package chromium, or name one in QUERN_CHROMIUM';
if (noChromium) console.warn(`test/browser is skipped: ${noChromium}`);

/** Nothing that calls home, and a fresh profile each time. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @param flags more flags, e.g. to take a capability away */
export const launch = (...flags: string[]): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath!, args: [...quiet, ...flags], timeout: 0 });
