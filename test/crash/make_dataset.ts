/** Makes a dataset of the folder argv[2] in argv[3], replacing what is there; says `begun` once pictures are stored. */
import { makeDataset } from '../../lib/tools/index.js'

const [, , source, output] = process.argv
await makeDataset(source, {
  output,
  overwrite: true,
  threads: 1,
  onProgress: done => {
    if (done === 1) process.stdout.write('begun\n')
  },
})
