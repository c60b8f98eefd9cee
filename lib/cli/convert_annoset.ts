import { type Command, Option } from 'commander'
import { imageFormats } from '../data/encode_image.js'
import { type AnnotationFile, type ConvertAnnosetOptions, convertAnnoset } from '../tools/convert_annoset.js'
import { conversionLog } from './conversion.js'
import { mustExist } from './input_file.js'
import { whole } from './options.js'
import { filesLeftOut, type Output, print, printJson, resultDatabase } from './output.js'

type CommandOptions = Omit<ConvertAnnosetOptions, 'root' | 'list' | 'output'> & {
  json?: boolean
  backend?: string
  labelMapFile?: string
}

const labelTypes: readonly AnnotationFile[] = ['xml', 'json', 'txt']

export function addConvertAnnoset(program: Command, output: Output): void {
  program
    .command('convert-annoset')
    .description('Convert pictures with boxes (VOC, COCO, text) to an LMDB that an AnnotatedData layer reads.')
    .argument('<root>', 'folder in front of every path')
    .argument('<list>', "text file with a picture, a space and its annotation in each line; or COCO's instances_*.json")
    .argument('<db>', 'folder of the LMDB')
    .option('--label-map-file <file>', 'labelmap.prototxt: labels by name (COCO without one: 1, 2, … by category)')
    .addOption(
      new Option(
        '--label-type <type>',
        'what annotations are: VOC\'s, one JSON file a picture, or lines "label xmin ymin xmax ymax"',
      )
        .choices(labelTypes)
        .default('xml'),
    )
    .addOption(
      new Option(
        '--anno-type <type>',
        'classification: the list has a label instead of an annotation, records no boxes',
      )
        .choices(['detection', 'classification'])
        .default('detection'),
    )
    .option('--check-label', 'fail if the label map has a name twice')
    .option('--gray', 'one channel of grey instead of three of colour')
    .option('--shuffle', 'put the pictures in random order')
    .option('--seed <n>', 'seed of that order (default: drawn)', whole(0))
    .option('--resize-width <n>', 'width that pictures are brought to', whole(0))
    .option('--resize-height <n>', 'height that pictures are brought to', whole(0))
    .option('--min-dim <n>', 'enlarge pictures whose shorter side has fewer pixels', whole(0))
    .option('--max-dim <n>', 'make pictures smaller whose longer side has more pixels', whole(0))
    .option('--check-size', 'fail if the pictures are not all of one size')
    .option('--encoded', 'store picture files instead of pixels: as they are, if neither size nor type is to change')
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
      return convert(root, list, db, options, output)
    })
    .addHelpText(
      'after',
      `
Plain PNG files need nothing else; others are read by two packages: npm install ndarray-pixels sharp.

Examples:
  ristretto convert-annoset VOCdevkit/ trainval.txt voc_lmdb --label-map-file labelmap_voc.prototxt --encoded --shuffle
  ristretto convert-annoset coco/train2017 instances_train2017.json coco_lmdb --encoded`,
    )
}

async function convert(
  root: string,
  list: string,
  db: string,
  { json, backend: _, labelMapFile: labelMap, ...options }: CommandOptions,
  output: Output,
): Promise<void> {
  await mustExist(list)
  await resultDatabase(output, db)
  const { stop, ...told } = conversionLog(output, json)
  const result = await convertAnnoset({
    ...options,
    labelMap,
    root,
    list,
    output: db,
    ...told,
  }).finally(stop)
  const { records, objects, skipped } = result
  if (json) printJson(output, { db, records, objects, skipped })
  else
    print(
      output,
      `${db}: ${records} records with ${objects} objects${skipped.length ? `, ${filesLeftOut(skipped.length)}` : ''}`,
    )
}
