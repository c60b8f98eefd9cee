import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { readLabels } from '../data/labels.js'
import { RistrettoError } from '../errors.js'
import { labelsBeside } from '../net/deploy_net.js'
import { svgConfusion } from '../plot/confusion_chart.js'
import { g6 } from '../system/format.js'
import { writeFileSafely } from '../system/write_file.js'
import { evaluate } from '../tools/evaluate.js'
import type { EvaluatedItem, Evaluation } from '../tools/evaluation_tally.js'
import { readText } from './input_file.js'
import { whole } from './options.js'
import { type Output, print, printJson, resultFile } from './output.js'
import { ProgressBar } from './progress.js'
import { type BatchOptions, openNet } from './run_net.js'
import { tableLines } from './table.js'

/** What `test` shows of single items and classes. */
export interface EvaluationOptions extends BatchOptions {
  confusion?: string | true
  perClass?: boolean
  top?: number
  hardest?: number
  wrong?: boolean
  labels?: string
}

/** Classes that a confusion matrix in a terminal has room for. */
const TABLE_CLASSES = 24
/** Pairs that are listed where there are more. */
const PAIRS = 20

export function addEvaluationOptions(command: Command): Command {
  return command
    .option(
      '--confusion [file]',
      'which classes are taken for which: as a table, or as an SVG picture in a file',
      svgFile,
    )
    .option('--per-class', 'precision, recall, F1 and IoU of every class')
    .option('--top <k>', 'share of the items whose label is among the k best, for 1 to k', whole(1))
    .option('--hardest <n>', 'the items with the highest loss, by name', whole(1))
    .option('--wrong', 'every misclassified item, by name')
    .option('--labels <file>', 'names of the classes, one a line (default: labels.txt beside the data)')
}

function svgFile(text: string): string {
  if (!/\.svg$/i.test(text)) throw new InvalidArgumentError('It must be the name of an .svg file, or left out.')
  return text
}

export const wantsEvaluation = ({ confusion, perClass, top, hardest, wrong, labels }: EvaluationOptions): boolean =>
  [confusion, perClass, top, hardest, wrong, labels].some(value => value !== undefined)

/**
 * Score a net item by item.
 * @param iterations batches to look at; undefined: all the net's data once
 */
export async function testItems(
  options: EvaluationOptions,
  iterations: number | undefined,
  output: Output,
): Promise<void> {
  const { model, weights = [], json, confusion, perClass, top, hardest, wrong } = options
  if (typeof confusion === 'string') await resultFile(output, confusion)
  const given = options.labels === undefined ? undefined : readLabels(await readText(options.labels), options.labels)
  const net = await openNet(model, weights, options, output, () => {})
  let result: Evaluation
  let known: readonly string[] | undefined
  const bar = output.out.isTTY && !json ? new ProgressBar(output, 'Testing', iterations ?? 0, ['items']) : undefined
  let batches = 0
  try {
    known = given ?? (await labelsBeside(net.pictures.layers[0], net.built.context.files))
    result = await evaluate(net, iterations, {
      ...(top !== undefined && { top }),
      hardest: hardest ?? 0,
      onBatch: items => bar?.update(++batches, { items: `${items} items` }),
    })
  } finally {
    bar?.stop()
    net.dispose()
  }
  const { classes } = result.confusion
  if (given && given.length !== classes)
    throw new RistrettoError(`${options.labels} has ${given.length} names, the net has ${classes} classes`)
  // what lies beside the data may be of other data
  const names = known?.length === classes ? known : undefined
  const name = (label: number): string => names?.[label] ?? String(label)
  if (typeof confusion === 'string') {
    const picture = { title: net.name || model, names: allNames(classes, name), rows: result.confusion.toRows() }
    await writeFileSafely(confusion, new TextEncoder().encode(svgConfusion(picture)))
  }
  if (json) return printJson(output, report(result, name))
  print(output, `Items: ${result.items}${result.places === result.items ? '' : `, ${result.places} labels`}`)
  print(output, `Loss: ${g6(result.loss)}`)
  print(output, `Accuracy: ${g6(result.accuracy)}`)
  if (top !== undefined)
    for (const [k, share] of result.topShares.entries()) print(output, `Top ${k + 1}: ${g6(share)}`)
  const show = (title: string, lines: readonly string[]) => {
    print(output, '')
    print(output, title)
    for (const line of lines) print(output, line)
  }
  if (confusion === true) show('Rows: label. Columns: prediction.', confusionLines(result, name))
  if (typeof confusion === 'string') print(output, `${confusion}: ${classes} classes`)
  if (perClass) show('By class', classLines(result, name))
  if (hardest !== undefined) show('Hardest', itemLines(result.hardest, name))
  if (wrong) show(`Misclassified: ${result.wrong.length}`, result.wrong.length ? itemLines(result.wrong, name) : [])
}

const allNames = (classes: number, name: (label: number) => string): string[] =>
  Array.from({ length: classes }, (_, label) => name(label))

/** The matrix, or, where there are many classes, what is taken for what most often. */
function confusionLines({ confusion }: Evaluation, name: (label: number) => string): string[] {
  const { classes } = confusion
  if (classes <= TABLE_CLASSES)
    return tableLines(
      [
        ['', ...allNames(classes, name)],
        ...confusion.toRows().map((row, label) => [name(label), ...row.map(count => (count ? String(count) : '·'))]),
      ],
      1,
    )
  const mistakes = confusion.mistakes()
  const rows = mistakes
    .slice(0, PAIRS)
    .map(({ label, prediction, count }) => [name(label), name(prediction), String(count)])
  const rest = mistakes.length > PAIRS ? [`… and ${mistakes.length - PAIRS} pairs more; --json has all`] : []
  return [...tableLines([['label', 'taken for', 'times'], ...rows], 2), ...rest]
}

function classLines({ confusion }: Evaluation, name: (label: number) => string): string[] {
  const share = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(4))
  const rows = confusion
    .scores()
    .map(({ label, items, correct, precision, recall, f1, iou }) => [
      ...[name(label), String(items), String(correct)],
      ...[precision, recall, f1, iou].map(share),
    ])
  return tableLines([['class', 'items', 'correct', 'precision', 'recall', 'F1', 'IoU'], ...rows], 1)
}

function itemLines(items: readonly EvaluatedItem[], name: (label: number) => string): string[] {
  const named = (label: number | undefined) => (label === undefined ? '' : name(label))
  const rows = items.map(item => [
    item.name ?? `item ${item.index}`,
    named(item.label),
    named(item.prediction),
    item.probability.toFixed(4),
    g6(item.loss),
  ])
  return tableLines([['item', 'label', 'prediction', 'P(label)', 'loss'], ...rows], 3)
}

/** The whole evaluation for programs; shares of nothing are null. */
function report(result: Evaluation, name: (label: number) => string): unknown {
  const { confusion, ...rest } = result
  const named = (item: EvaluatedItem) => ({
    ...item,
    ...(item.label !== undefined && { labelName: name(item.label) }),
    ...(item.prediction !== undefined && { predictionName: name(item.prediction) }),
  })
  return {
    ...rest,
    hardest: rest.hardest.map(named),
    wrong: rest.wrong.map(named),
    confusion: confusion.toRows(),
    classes: confusion.scores().map(scores => ({ name: name(scores.label), ...scores })),
  }
}
