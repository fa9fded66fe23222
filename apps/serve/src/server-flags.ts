// The flags of the server itself: where it listens, who may use it, how long it waits, what it logs.
import type { Flag } from '@quern/terminal';
import type { ApiKeyFlags } from './http/api-keys.ts';
import type { CertificateFlags } from './http/certificates.ts';

export interface ServerFlags extends ApiKeyFlags, CertificateFlags {
  host?: string[];
  port: string;
  corsOrigins?: string;
  allowedHosts?: string;
  maxBody: string;
  timeout: string;
  shutdownGrace: string;
  ui?: boolean;
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
    description:
      'web sites whose pages may use the server (https://chat.example), localhost (on any port), or * (default: none)',
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
  { flags: '--no-ui', description: 'no chat page at /' },
  { flags: '--log-contents', description: 'log what is said, too' },
];
