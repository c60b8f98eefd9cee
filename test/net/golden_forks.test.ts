import { hostEngines } from '../engines.js'
import { checkForkNets } from './golden_forks.js'

checkForkNets(hostEngines)
