/**
 * Login by a bearer token. kafkajs takes the broker's refusal for success and then waits for an answer that does not come; here
 * what the broker says about the token is read, and said at once.
 */
import type { KafkaConfig, Mechanism, SASLOptions } from 'kafkajs'
import { describeUnknown } from '../../../contracts/errors.ts'
import { Encoder, SaslAuthenticationError } from './kafkajs-internals.ts'

type TokenSource = () => Promise<{ readonly value: string }>

/** The login with the same meaning; others come back as they are. */
export function withReadableRefusal(sasl: SASLOptions): NonNullable<KafkaConfig['sasl']> {
  if (sasl.mechanism !== 'oauthbearer' || !('oauthBearerProvider' in sasl)) return sasl
  const { mechanism, oauthBearerProvider } = sasl
  const custom: Mechanism = {
    mechanism,
    authenticationProvider: ({ saslAuthenticate }) => login(saslAuthenticate, oauthBearerProvider),
  }
  return custom
}

type Send = (message: {
  request: { encode(): Promise<Buffer> }
  response: { decode(answer: Buffer): Promise<Buffer>; parse(answer: Buffer): Promise<Buffer> }
}) => Promise<Buffer | null | undefined | void>

function login(send: unknown, source: TokenSource): { authenticate(): Promise<void> } {
  return {
    authenticate: async () => {
      const answer = await sendToken(send as Send, source)
      if (answer.length > 0) throw new SaslAuthenticationError(`the token is not taken: ${answer}`)
    },
  }
}

/** What the broker says: nothing when it takes the token. @source RFC 7628, section 3 */
async function sendToken(send: Send, source: TokenSource): Promise<string> {
  try {
    const { value } = await source()
    const message = Buffer.from(`n,,\u0001auth=Bearer ${value}\u0001\u0001`)
    const answer = await send({
      request: { encode: () => Promise.resolve(new Encoder().writeBytes(message).buffer) },
      response: { decode: (bytes) => Promise.resolve(bytes), parse: (bytes) => Promise.resolve(bytes) },
    })
    // kafkajs puts the length before the bytes.
    return answer?.toString('utf8', 4) ?? ''
  } catch (error) {
    throw new SaslAuthenticationError(describeUnknown(error))
  }
}
