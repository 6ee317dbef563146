/** Downstream of everything: counts ended flows in the outside world and says nothing. */
import { labourer } from './trial-agent.ts'

export default labourer('trial.tally', 'trial.ended')
