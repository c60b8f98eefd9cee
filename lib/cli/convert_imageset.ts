import { type Command, Option } from 'commander'
import { imageFormats } from '../data/encode_image.js'
import { type ConvertImagesetOptions, convertImageset } from '../tools/convert_imageset.js'
import { parseLabels } from '../tools/dataset/classes.js'
import { conversionLog } from './conversion.js'
import { mustExist, readText } from './input_file.js'
import { whole } from './options.js'
import { filesLeftOut, type Output, print, printJson, resultDatabase, warn } from './output.js'

type CommandOptions = Omit<ConvertImagesetOptions, 'root' | 'list' | 'output' | 'classes'> & {
  labels?: string
  backend?: string
  json?: boolean
}

export function addConvertImageset(program: Command, output: Output): void {
  program
    .command('convert-imageset')
    .description('Convert image files to an LMDB that a Data layer reads.')
    .argument('<root>', 'folder in front of every path in the list; without a list, the folder of class folders')
    .argument('<list>', 'text or CSV file with a path and a label in each line: whole numbers, or names of classes')
    .argument('[db]', 'folder of the LMDB; with two arguments the second is the LMDB, and there is no list')
    .option('--labels <file>', 'class names in the order of their labels, one in each line')
    .option('--gray', 'one channel of grey instead of three of colour')
    .option('--shuffle', 'put the images in random order')
    .option('--seed <n>', 'seed of that order (default: drawn)', whole(0))
    .option('--resize-width <n>', 'width that images are brought to', whole(0))
    .option('--resize-height <n>', 'height that images are brought to', whole(0))
    .option('--check-size', 'fail if the images are not all of one size')
    .option('--encoded', 'store image files instead of pixels: as they are, if neither size nor type is to change')
    .addOption(
      new Option('--encode-type <type>', 'type of the stored files (default: that of each file)').choices([
        ...imageFormats,
        'jpeg',
      ]),
    )
    .addOption(new Option('--backend <name>', 'kind of database').choices(['lmdb']).default('lmdb'))
    .option('--overwrite', 'replace an LMDB that is there already')
    .option('--json', 'print the result as one JSON object')
    .action((root, list, db, options: CommandOptions, command: Command) => {
      if (!options.resizeWidth !== !options.resizeHeight)
        command.error('error: --resize-width and --resize-height go together: give both or none')
      return convert(root, db === undefined ? undefined : list, db ?? list, options, output)
    })
    .addHelpText(
      'after',
      `
Plain PNG files need nothing else; others are read by two packages: npm install ndarray-pixels sharp.
Keys are '%08d_<path>'. Files that cannot be read are left out, each with a notice, as in Caffe.

Examples:
  ristretto convert-imageset images/ images/train.txt train_lmdb --resize-height 256 --resize-width 256 --shuffle
  ristretto convert-imageset images/ images/train.txt train_lmdb --encoded
  ristretto convert-imageset photos/ photos_lmdb --resize-height 64 --resize-width 64 --shuffle`,
    )
}

async function convert(
  root: string,
  list: string | undefined,
  db: string,
  { json, labels, backend: _, ...options }: CommandOptions,
  output: Output,
): Promise<void> {
  await (list === undefined ? mustExist(root, 'folder') : mustExist(list))
  const known = labels === undefined ? undefined : parseLabels(await readText(labels), labels)
  await resultDatabase(output, db)
  const { stop, ...told } = conversionLog(output, json)
  const report = await convertImageset({ ...options, ...told, root, list, output: db, classes: known }).finally(stop)
  const { records, skipped, sizes, classes } = report
  if (sizes) {
    const [first, other] = sizes.map(({ place, size }) => `${place}: ${size}`)
    warn(
      output,
      `images differ in size (${first}, ${other}): a Data layer takes them one at a time, ` +
        'or with crop_size; --resize-width and --resize-height bring them to one size',
    )
  }
  if (json) {
    printJson(output, { db, records, skipped, ...(classes && { classes }) })
    return
  }
  print(output, `${db}: ${records} records${skipped.length ? `, ${filesLeftOut(skipped.length)}` : ''}`)
  if (!classes) return
  const shown = classes.slice(0, 10).map((name, i) => `${i} ${name}`)
  print(output, `${db}/labels.txt: ${shown.join(', ')}${classes.length > 10 ? ', …' : ''}`)
}
