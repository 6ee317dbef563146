import { createContractSet } from '../../contracts/contract-set.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { describeRegistry } from './registry.suite.ts'

describeRegistry('contracts folder', () => createFolderRegistry(createContractSet({})))
