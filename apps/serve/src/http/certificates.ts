// The certificate of a server that speaks TLS.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { QuernError } from '@quern/errors';

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface CertificateFlags {
  sslCertFile?: string;
  sslKeyFile?: string;
}

/** @throws QuernError `usage-half-certificate`, `serve-certificate` */
export function readCertificate({ sslCertFile, sslKeyFile }: CertificateFlags): Certificate | undefined {
  if (sslCertFile === undefined && sslKeyFile === undefined) return undefined;
  if (sslCertFile === undefined || sslKeyFile === undefined)
    throw new QuernError('usage-half-certificate', 'TLS needs a certificate and its key.', {
      remedy: 'Give both --ssl-cert-file and --ssl-key-file (PEM).',
    });
  const certificate = { cert: readPem(sslCertFile), key: readPem(sslKeyFile) };
  try {
    createSecureContext(certificate);
  } catch (cause) {
    throw new QuernError(
      'serve-certificate',
      `The certificate and its key are of no use: ${(cause as Error).message}.`,
      {
        file: sslCertFile,
        cause,
        remedy: 'Give PEM files that belong together; the key must have no passphrase.',
      },
    );
  }
  return certificate;
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new QuernError('serve-certificate', `Cannot read it: ${(cause as Error).message}.`, { file: path, cause });
  }
}
