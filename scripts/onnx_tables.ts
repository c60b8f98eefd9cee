/**
 * The tables of docs/onnx.md, from the code that writes the models: between `<!-- layers -->` and `<!-- /layers -->`, and
 * so on. `npx tsx scripts/onnx_tables.ts` puts them into the page; the tests say where they are not those of the code.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtInLayers } from '../lib/generated/layer_list.js'
import type { LayerClass } from '../lib/layer.js'
import { foldedOps } from '../lib/onnx/fold.js'
import { exporters, whyNot } from '../lib/onnx/layers/index.js'
import { ops } from '../lib/onnx/ops/index.js'

const page = fileURLToPath(new URL('../docs/onnx.md', import.meta.url))

const types = Object.keys(builtInLayers).sort((a, b) => a.localeCompare(b))
const known = (type: string): boolean => Object.hasOwn(exporters, type)

/** Which operators each layer becomes. */
function layerTable(): string {
  const rows = types.filter(known).map(type => {
    const { ops, note = '' } = exporters[type]
    return `| ${type} | ${ops.join(', ') || '–'} | ${note} |`
  })
  return ['| layer | operators | |', '|---|---|---|', ...rows].join('\n')
}

/** Why the others have none: those of trainings and data apart. */
function otherTable(): string {
  const left: Record<string, string[]> = { 'left out with the labels': [], 'an input of the model': [] }
  const rows: string[] = []
  for (const type of types) {
    const { atDeploy, isInput } = (builtInLayers as Record<string, LayerClass>)[type]
    if (known(type)) continue
    if (isInput || /Data$/.test(type)) left['an input of the model'].push(type)
    else if (atDeploy !== undefined && atDeploy !== 'goes') left['left out with the labels'].push(type)
    else rows.push(`| ${type} | ${whyNot(type).replace('it has no ONNX form: ', '')} |`)
  }
  const short = Object.entries(left).map(([why, names]) => `| ${names.join(', ')} | ${why} |`)
  return ['| layer | |', '|---|---|', ...short, ...rows].join('\n')
}

/** What becomes of each operator of a model that is read. */
function operatorTable(): string {
  const rows = Object.keys(ops)
    .sort((a, b) => a.localeCompare(b))
    .map(op => `| ${op} | ${ops[op].layers} | ${ops[op].note ?? ''} |`)
  return ['| operator | layers | |', '|---|---|---|', ...rows].join('\n')
}

/** The page with its tables as the code has them. */
export function withTables(text: string): string {
  let whole = text
  for (const [name, table] of Object.entries({
    layers: layerTable(),
    others: otherTable(),
    operators: operatorTable(),
    folded: foldedOps.join(', '),
  }))
    whole = whole.replace(
      new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
      (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
    )
  return whole
}

export const readPage = (): string => readFileSync(page, 'utf8')

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, withTables(readPage()))
