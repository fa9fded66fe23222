// Under which names a server may be asked for. A server on the loopback is out of reach for web sites, unless one lets its own
// name point to 127.0.0.1 (DNS rebinding): the browser then takes the server for a part of that site. Such a request still
// carries the site's name in its Host header. Addresses cannot be rebound, nor names that no public name server answers for.
import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { ApiError } from '../api-error.ts';

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

/**
 * @param hosts the addresses that the server listens on; none when it has Unix sockets alone, which no browser reaches
 * @param allowed further names; given, they are asked for on every address
 * @returns a check of a Host header, or undefined where any name will do
 */
export function hostCheck(
  hosts: readonly string[],
  allowed: readonly string[],
): ((host: string | undefined) => void) | undefined {
  const isOpen = hosts.length === 0 || !hosts.every(isLoopback);
  if (allowed.includes('*') || (allowed.length === 0 && isOpen)) return undefined;
  const own = hostname().toLowerCase();
  const names = new Set([...hosts, ...allowed, 'localhost', own, `${own}.local`].map((name) => name.toLowerCase()));
  return (header) => {
    const name = nameOf(header ?? '');
    if (names.has(name) || isIP(name) || /\.(localhost|internal)$/.test(name)) return;
    const message = `This server does not answer to the name "${name}". Name it in --allowed-hosts if it is yours.`;
    throw new ApiError(403, 'host_not_allowed', message);
  };
}

/** Without port and brackets, and without the dot that may end a full name. */
const nameOf = (header: string): string =>
  header
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');

/** HTTP/1.0 knows no Host, and balancers look after health with it: the address that was asked stands in its place. No browser speaks it. */
export function nameByAddress({ httpVersion, headers, rawHeaders, socket }: IncomingMessage): void {
  if (httpVersion !== '1.0' || headers.host !== undefined) return;
  const address = socket.localAddress ?? 'localhost';
  headers.host = isIPv6(address) ? `[${address}]` : address;
  rawHeaders.push('Host', headers.host);
}
