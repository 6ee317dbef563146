/** The other half of the work. */
import { labourer } from './trial-agent.ts'

export default labourer('trial.right-worker', 'trial.right-wanted', ['trial.right-done'])
