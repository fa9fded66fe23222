// The chat page: one file that needs nothing from anywhere else.
import { Script } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let html: string;
let headers: Headers;
beforeAll(async () => {
  server = await startTestServer();
  const response = await fetch(server.url);
  headers = response.headers;
  html = await response.text();
});
afterAll(() => server.close());

describe('GET /', () => {
  it('is HTML, before the model is loaded too', () => {
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(html).toMatch(/^<!doctype html>/);
  });

  it('loads nothing from elsewhere, and may not', () => {
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<(?:img|iframe|object|embed|script|link)[^>]+(?:src|href)="(?!data:)/);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';/);
    expect(headers.get('content-security-policy')).toContain("connect-src 'self'");
  });

  it('has a script that parses and that never turns a reply into markup', () => {
    const script = /<script type="module">(.*?)<\/script>/s.exec(html)![1]!;
    expect(() => new Script(script)).not.toThrow();
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
  });

  it('names its controls for those who do not see them', () => {
    expect(html).toMatch(/<html lang="en">/);
    expect(html).toMatch(/<textarea[^>]+aria-label=/);
    expect(html).toMatch(/role="log"[^>]+aria-live="polite"/);
    for (const [input] of html.matchAll(/<input [^>]+>/g)) {
      expect(html).toContain(`<label`);
      expect(html.slice(0, html.indexOf(input))).toMatch(/<label[^>]*>[^<]+$/);
    }
  });
});
