/** One half of the work. */
import { labourer } from './trial-agent.ts'

export default labourer('trial.left-worker', 'trial.left-wanted', ['trial.left-done'])
