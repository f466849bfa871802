import type { BadClass } from '../spi/load.ts';

const CLASSES: Readonly<Record<string, BadClass>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'body',
  EPROTO: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  HOSTNAME_MISMATCH: 'tls',
};
const OF_TLS = /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_)/;

/** The class of a broken request; several addresses tried come as one error with the last one's code. */
export function classOf(error: Error): BadClass {
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === 'HTTPParserError' || code?.startsWith('HPE_') === true) return 'body';
  const known = code === undefined ? undefined : (CLASSES[code] ?? (OF_TLS.test(code) ? 'tls' : undefined));
  if (known !== undefined) return known;
  const inner = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error.cause;
  return inner instanceof Error ? classOf(inner) : 'reset';
}
