/** The codec's interface: synchronous Avro with cached resolvers, into the reader schema of this process. */

/** Encodes and decodes the values of topics. One per process; made by `createCodec` with the contract set and a registry. */
export interface EventCodec {
  /**
   * Framed Avro of a value under this process's own schema of the topic.
   * @throws LABAN_CONTRACT_VALIDATION naming the path, LABAN_CONTRACT_RULE, LABAN_CONTRACT_UNKNOWN_TOPIC
   */
  encode(topic: string, value: unknown): Buffer
  /**
   * The value under this process's schema of the topic, whatever schema it was written with. Trailing bytes are an error.
   * @throws LABAN_CONTRACT_DECODE (terminal), LABAN_CONTRACT_RULE (terminal)
   * Returns a schema id that must be loaded first when the writer's schema is not cached yet.
   */
  decode(topic: string, value: Buffer | null, where: { partition: number; offset: number }): Decoded
  /** Loads a writer schema so that `decode` can use it. @throws LABAN_REGISTRY_UNAVAILABLE (retry), LABAN_CONTRACT_UNKNOWN_SCHEMA (terminal) */
  load(schemaId: number): Promise<void>
}

/** Either the value, or the id of a schema to load before trying again. */
export type Decoded = { readonly value: unknown } | { readonly loadSchemaId: number }
