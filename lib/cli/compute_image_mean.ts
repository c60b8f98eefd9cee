import { type Command, Option } from 'commander'
import { writeMessage } from '../proto/wire.js'
import { writeNpy } from '../pycaffe/io/npy.js'
import { g6 } from '../system/format.js'
import { ndarrayOf } from '../system/ndarrays.js'
import { writeFileSafely } from '../system/write_file.js'
import { computeImageMean, type ImageMean } from '../tools/image_mean.js'
import { mustExist } from './input_file.js'
import { type Output, print, printJson, resultFile } from './output.js'
import { ProgressBar } from './progress.js'

export function addComputeImageMean(program: Command, output: Output): void {
  program
    .command('compute-image-mean')
    .description('Mean image of an LMDB of images, and the mean of each channel.')
    .argument('<db>', 'folder of the LMDB')
    .argument('[file]', 'where the mean image goes: .binaryproto, or .npy (C × H × W)')
    .addOption(new Option('--backend <name>', 'kind of database').choices(['lmdb']).default('lmdb'))
    .option('--json', 'print the means as one JSON object')
    .action((db, file, options: { json?: boolean }) => compute(db, file, options.json ?? false, output))
    .addHelpText(
      'after',
      `
Example:
  ristretto compute-image-mean train_lmdb mean.binaryproto`,
    )
}

async function compute(db: string, file: string | undefined, json: boolean, output: Output): Promise<void> {
  let bar: ProgressBar | undefined
  const onProgress = (done: number, total: number) => {
    if (!output.out.isTTY || json) return
    bar ??= new ProgressBar(output, 'Adding up', total, [])
    bar.update(done)
  }
  await mustExist(db, 'database')
  if (file !== undefined) await resultFile(output, file)
  let mean: ImageMean
  try {
    mean = await computeImageMean(db, onProgress)
  } finally {
    bar?.stop()
  }
  if (file !== undefined) await writeFileSafely(file, fileBytes(mean, file))
  const { blob, channels, count } = mean
  if (json) {
    printJson(output, { file, records: count, shape: [blob.channels, blob.height, blob.width], channels })
    return
  }
  print(output, `${count} records of ${blob.channels}×${blob.height}×${blob.width}`)
  if (file !== undefined) print(output, `Write to ${file}`)
  print(output, `Number of channels: ${channels.length}`)
  channels.forEach((value, c) => {
    print(output, `mean_value channel [${c}]: ${g6(value)}`)
  })
}

function fileBytes({ blob }: ImageMean, file: string): Uint8Array {
  if (!file.endsWith('.npy')) return writeMessage('BlobProto', blob)
  return writeNpy(
    ndarrayOf(Float32Array.from(blob.data ?? []), [blob.channels ?? 0, blob.height ?? 0, blob.width ?? 0]),
  )
}
