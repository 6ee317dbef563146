/** Asks two workers: two outputs, which are not appended at once. */
import { labourer } from './trial-agent.ts'

export default labourer('trial.splitter', 'trial.begun', ['trial.left-wanted', 'trial.right-wanted'])
