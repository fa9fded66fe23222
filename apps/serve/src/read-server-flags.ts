// What the flags of the server come to.
import { parseCount } from '@quern/terminal';
import { readApiKeys } from './http/api-keys.ts';
import { readCertificate } from './http/certificates.ts';
import type { ServerOptions } from './server.ts';
import type { ServerFlags } from './server-flags.ts';

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
    page: flags.ui ?? true,
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
