import type { Command } from 'commander'
import { isHdf5 } from '../data/is_hdf5.js'
import { FormatError, RistrettoError } from '../errors.js'
import { needsUpgrade } from '../proto/age.js'
import { printNet } from '../proto/print.js'
import { parseNet } from '../proto/text.js'
import { upgradeNet } from '../proto/upgrade.js'
import { readMessage, writeMessage } from '../proto/wire.js'
import { writeFileSafely } from '../system/write_file.js'
import { readBytes, textOf } from './input_file.js'
import { type Output, print, printText, resultFile, warn } from './output.js'

export function addUpgradeNet(program: Command, output: Output): void {
  program
    .command('upgrade-net')
    .aliases(['upgrade-net-proto-text', 'upgrade-net-proto-binary'])
    .description(
      'Bring a net of an older Caffe version up to date: a prototxt, or a .caffemodel with its weights. It finds out which.',
    )
    .argument('<input>', 'the old file')
    .argument('[output]', 'the new file, in the same form; left out, a prototxt is printed')
    .action((input, file) => upgrade(input, file, output))
    .addHelpText(
      'after',
      `
Examples:
  ristretto upgrade-net old_train_val.prototxt train_val.prototxt
  ristretto upgrade-net old.caffemodel new.caffemodel`,
    )
}

async function upgrade(input: string, file: string | undefined, output: Output): Promise<void> {
  if (file !== undefined) await resultFile(output, file)
  const bytes = await readBytes(input)
  if (isHdf5(bytes))
    throw new FormatError(`${input}: an HDF5 model holds weights by name and nothing that could be out of date`)
  const text = textOf(bytes)
  if (text === undefined && file === undefined)
    throw new RistrettoError(
      `${input} is a binary model: name a file for the new one (ristretto upgrade-net ${input} new.caffemodel)`,
    )
  const old = text === undefined ? readMessage('NetParameter', bytes, { file: input }) : parseNet(text, { file: input })
  const isOld = needsUpgrade(old)
  const net = upgradeNet(old, message => warn(output, `${input}: ${message}`))
  if (file === undefined) {
    printText(output, printNet(net))
    return
  }
  const upgraded = text === undefined ? writeMessage('NetParameter', net) : new TextEncoder().encode(printNet(net))
  await writeFileSafely(file, upgraded)
  if (!isOld) print(output, `${input} is in the latest form already`)
  print(output, `Wrote upgraded NetParameter ${text === undefined ? 'binary' : 'text'} proto to ${file}`)
}
