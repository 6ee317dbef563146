/** Tells failed TLS from a network that is merely away: waiting mends the one, only a person the other. */

/** Codes of Node and OpenSSL. */
const CODE =
  /^(ERR_SSL_|ERR_TLS_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(GET|VERIFY)_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/

/** True when a connection failed because one side does not trust the certificate of the other. A socket that was cut is none. */
export function isDistrust(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && CODE.test(error.code)
}
