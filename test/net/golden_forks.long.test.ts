import { checkForkNets } from './golden_forks.js'

checkForkNets(['gpu:webasm'])
