import type { Command } from 'commander'
import { convertMnist } from '../tools/convert_mnist.js'
import { type Output, print, resultDatabase } from './output.js'
import { ProgressBar } from './progress.js'

type Conversion = Parameters<typeof convertMnist>[0] & { output: string }

interface ConvertMnistOptions {
  images?: string
  labels?: string
  output?: string
  overwrite?: boolean
}

export function addConvertMnist(program: Command, output: Output): void {
  program
    .command('convert-mnist')
    .description('Convert images and labels in idx files (MNIST and its kin) to an LMDB that a Data layer reads.')
    .argument('[images]', 'idx file of the images, instead of --images')
    .argument('[labels]', 'idx file of the labels, instead of --labels')
    .argument('[output]', 'folder of the LMDB, instead of --output')
    .option('--images <file>', 'idx file of the images')
    .option('--labels <file>', 'idx file of the labels')
    .option('--output <folder>', 'folder of the LMDB')
    .option('--overwrite', 'replace an LMDB that is there already')
    .action((images, labels, folder, options: ConvertMnistOptions, command: Command) => {
      const files = {
        images: options.images ?? images,
        labels: options.labels ?? labels,
        output: options.output ?? folder,
      }
      for (const [name, file] of Object.entries(files))
        if (file === undefined) command.error(`error: required option '--${name}' not specified`)
      return convert({ ...files, overwrite: options.overwrite } as Conversion, output)
    })
    .addHelpText(
      'after',
      `
Example:
  ristretto convert-mnist --images train-images-idx3-ubyte --labels train-labels-idx1-ubyte --output mnist_train_lmdb`,
    )
}

async function convert(conversion: Conversion, output: Output): Promise<void> {
  let bar: ProgressBar | undefined
  const onProgress = (done: number, total: number) => {
    if (!output.out.isTTY) return
    bar ??= new ProgressBar(output, 'Converting', total, [])
    bar.update(done)
  }
  try {
    await resultDatabase(output, conversion.output)
    const count = await convertMnist({ ...conversion, onProgress })
    bar?.stop()
    print(output, `${conversion.output}: ${count} records`)
  } finally {
    bar?.stop()
  }
}
