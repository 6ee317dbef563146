/** What the command line and the console need beyond the public entry point. Not exported from the package; no logic. */
export { ERROR_TABLE } from '../contracts/error-table.ts'
export { describeUnknown, isLabanError, LabanError } from '../contracts/errors.ts'
export type { ErrorCode, ErrorDetails } from '../contracts/errors.ts'
export { describeConfig, type DescribedValue } from './config/describe.ts'
export { CONFIG_KEYS, type ConfigKey } from './config/keys.ts'
export { CONFIG_FILE, loadConfig, type LoadedConfig, type LoadOptions } from './config/load.ts'
export type { Config, ConfigInput } from './config/schema.ts'
export { redactUrl, Secret } from './config/secret.ts'
