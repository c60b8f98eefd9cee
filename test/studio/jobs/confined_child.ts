/** Checks the layer files in its first argument; started under Node's permission model. */
import { checkLayerFiles } from '../../../lib/studio/jobs/check_layers.js'

console.log(JSON.stringify(await checkLayerFiles(JSON.parse(process.argv[2]))))
