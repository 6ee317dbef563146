/**
 * Compression of records that others wrote. kafkajs brings gzip; zstd comes from Node. Snappy and LZ4 are named in the error of
 * a batch that uses them, instead of the crash without a word that kafkajs makes of it.
 */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { LabanError } from '../../../contracts/errors.ts'
import { CompressionCodecs, CompressionTypes, type KafkaEncoder } from './kafkajs-internals.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const FAST_LEVEL = 1

/** Registers the codecs for all clients of this process. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: KafkaEncoder) =>
      compress(encoder.buffer, { params: { [constants.ZSTD_c_compressionLevel]: FAST_LEVEL } }),
    decompress: (buffer: Buffer) => decompress(buffer),
  })
  CompressionCodecs[CompressionTypes.Snappy] = () => unsupported('snappy')
  CompressionCodecs[CompressionTypes.LZ4] = () => unsupported('lz4')
}

function unsupported(codec: string): never {
  throw new LabanError('LABAN_BROKER_REFUSED', {
    operation: 'reading a batch',
    topic: 'a topic',
    problem: `it is compressed with ${codec}; set compression.type of the topic to zstd or gzip`,
  })
}
