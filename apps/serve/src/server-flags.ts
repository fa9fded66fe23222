// The flags of the server itself: where it listens, who may use it, how long it waits, what it logs.
import { type Flag, parseCount } from '@quern/terminal';
import { type ApiKeyFlags, readApiKeys } from './http/api-keys.ts';
import { type CertificateFlags, readCertificate } from './http/certificates.ts';
import type { ServerOptions } from './server.ts';

export interface ServerFlags extends ApiKeyFlags, CertificateFlags {
  host?: string[];
  port: string;
  corsOrigins?: string;
  allowedHosts?: string;
  maxBody: string;
  timeout: string;
  shutdownGrace: string;
  logContents?: boolean;
}

export const serverFlags: readonly Flag[] = [
  {
    flags: '--host <address>',
    description: 'address to listen on, or a Unix socket (a path that ends in .sock); several (default: 127.0.0.1)',
    repeatable: true,
  },
  { flags: '--port <number>', description: 'port to listen on; 0 for any free one', default: '8080' },
  { flags: '--api-key <key>', description: 'let in who sends this key; several', repeatable: true },
  { flags: '--api-key-file <file>', description: 'a file with one key a line' },
  { flags: '--ssl-cert-file <file>', description: 'certificate (PEM), for https' },
  { flags: '--ssl-key-file <file>', description: 'its key (PEM)' },
  {
    flags: '--cors-origins <list>',
    description: 'web sites whose pages may use the server (https://chat.example), or * (default: none)',
  },
  {
    flags: '--allowed-hosts <list>',
    description: 'further names that the server may be asked for under, or *',
  },
  { flags: '--max-body <MiB>', description: 'most that a request may have', default: '16' },
  {
    flags: '--timeout <seconds>',
    description: 'what a client may take to send its request, and to read on',
    default: '120',
  },
  {
    flags: '--shutdown-grace <seconds>',
    description: 'what running requests get to finish when the server has to end',
    default: '5',
  },
  { flags: '--log-contents', description: 'log what is said, too' },
];

/** @throws QuernError `usage-…`, `serve-key-file`, `serve-certificate` */
export function readServerFlags(flags: ServerFlags, environment: NodeJS.ProcessEnv) {
  return {
    hosts: flags.host?.flatMap(listOf) ?? ['127.0.0.1'],
    port: parseCount('--port', flags.port, 65535, 0)!,
    apiKeys: readApiKeys(flags, environment),
    certificate: readCertificate(flags),
    corsOrigins: listOf(flags.corsOrigins ?? ''),
    allowedHosts: listOf(flags.allowedHosts ?? ''),
    maxBodyBytes: 2 ** 20 * parseCount('--max-body', flags.maxBody, 4096)!,
    timeoutMs: 1000 * parseCount('--timeout', flags.timeout, 86_400)!,
    logContents: flags.logContents ?? false,
  } satisfies Partial<ServerOptions>;
}

export const readGraceMs = ({ shutdownGrace }: ServerFlags): number =>
  1000 * parseCount('--shutdown-grace', shutdownGrace, 86_400, 0)!;

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
