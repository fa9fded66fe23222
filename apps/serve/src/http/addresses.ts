// Where a server listens: addresses with a port, and Unix sockets.
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { QuernError } from '@quern/errors';

/** `unix:/run/quern.sock`, or what ends in `.sock` as llama-server has it. */
export function socketPathOf(host: string): string | undefined {
  if (host.startsWith('unix:')) return host.slice('unix:'.length);
  return host.endsWith('.sock') ? host : undefined;
}

/**
 * Lets `server` listen.
 * @param scheme of the address that is returned
 * @returns what a client is given: a URL, or `unix:` and a path
 * @throws QuernError `serve-cannot-listen`
 */
export async function listen(server: Server, host: string, port: number, scheme: string): Promise<string> {
  const path = socketPathOf(host);
  const place = path ?? `${host}:${port}`;
  if (path !== undefined) await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => reject(cannotListen(place, cause.message, remedyOf(cause)));
    server.once('error', fail);
    const listening = (): void => {
      server.off('error', fail);
      resolve();
    };
    if (path === undefined) server.listen(port, host, listening);
    else server.listen(path, listening);
  });
  if (path !== undefined) {
    // Whoever may write to it may use it: nobody else on this machine, whatever the umask.
    chmodSync(path, 0o600);
    return `unix:${path}`;
  }
  const { address, port: actual, family } = server.address() as AddressInfo;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
}

function cannotListen(place: string, why: string, remedy?: string): QuernError {
  return new QuernError('serve-cannot-listen', `Cannot listen on ${place}: ${why}.`, { remedy });
}

function remedyOf({ code }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EADDRINUSE') return 'Choose another --port, or 0 for any free one.';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'Give --host an address of this machine.';
  if (code === 'EACCES') return 'Choose a --port from 1024 on, or a folder that you may write to.';
  return undefined;
}

/** A server that was killed leaves its socket behind; one that answers is another server, and what is no socket is somebody's file. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw cannotListen(path, 'there is a file that is no socket', 'Choose another path.');
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'));
  });
  if (answers) throw cannotListen(path, 'another server listens there', 'Choose another path, or end that server.');
  unlinkSync(path);
}
