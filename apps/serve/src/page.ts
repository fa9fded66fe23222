// GET /: the chat page, one static file.
import { readFile } from 'node:fs/promises';
import type { Endpoint } from './endpoint.ts';

const file = new URL('../public/index.html', import.meta.url);

/** The page loads nothing from elsewhere, and cannot be made to: a reply that contains markup stays text. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:";

export const page: Endpoint = {
  method: 'GET',
  path: '/',
  open: true,
  async handle(context) {
    return context.html(await readFile(file, 'utf8'), 200, { 'content-security-policy': policy });
  },
};
