/**
 * Compression of records that others wrote: one batch in a codec that is not known would stop the consumer for good. kafkajs
 * brings gzip, Node zstd; Snappy and LZ4 are only read, because nothing here writes them.
 */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { LabanError } from '../../../contracts/errors.ts'
import { CompressionCodecs, CompressionTypes, type KafkaEncoder } from './kafkajs-internals.ts'
import { decompressLz4 } from './lz4.ts'
import { decompressSnappy } from './snappy.ts'

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
  CompressionCodecs[CompressionTypes.Snappy] = () => readOnly('snappy', decompressSnappy)
  CompressionCodecs[CompressionTypes.LZ4] = () => readOnly('lz4', decompressLz4)
}

function readOnly(codec: string, decompressSync: (buffer: Buffer) => Buffer): object {
  return {
    compress: () => {
      const problem = `${codec} is only read; use zstd or gzip`
      return Promise.reject(
        new LabanError('LABAN_BROKER_REFUSED', { operation: 'compressing', topic: 'a batch', problem }),
      )
    },
    // An async function, so that broken bytes reject instead of throwing.
    decompress: async (buffer: Buffer) => Promise.resolve(decompressSync(buffer)),
  }
}
