/** String fields of the schema whose values are known: their types are unions of the names, read off the code. */
import { readFile } from 'node:fs/promises'
import type TS from 'typescript'
import { layerList } from './layer_list.js'

/** The compiler is 9 MB: it is loaded where a schema has changed. */
let ts: typeof TS

interface NamedField {
  /** What the union is called. */
  readonly type: string
  /** What the names are. */
  readonly doc: string
  /** The object whose keys the names are, and its file; or the names themselves where the code has no such table. */
  readonly names: { readonly file: string; readonly table: string } | readonly string[]
  /** Programs may have names of their own: any string is taken, and editors list those that are known. */
  readonly open?: boolean
}

const normTypes: NamedField = {
  type: 'NormType',
  doc: 'Norms: the root of the sum of squares, or the sum of absolute values',
  names: ['L2', 'L1'],
}

/** Types of layers, which are no table by hand. */
export const layerTypes: readonly string[] = (await layerList()).map(({ type }) => type)

/** By message and field. */
const fields: Readonly<Record<string, NamedField>> = {
  'LayerParameter.type': {
    type: 'LayerType',
    doc: 'The types of layers that the library has; a program may register others',
    names: [...layerTypes, 'Python'],
    open: true,
  },
  'FillerParameter.type': {
    type: 'FillerType',
    doc: 'The ways to fill a blob before training',
    names: { file: 'lib/filler.ts', table: 'fillers' },
  },
  'SolverParameter.type': {
    type: 'SolverType',
    doc: 'The types of solvers that the library has',
    names: { file: 'lib/solver/rules/index.ts', table: 'solvers' },
    open: true,
  },
  'SolverParameter.lr_policy': {
    type: 'RatePolicy',
    doc: 'The ways in which the learning rate changes',
    names: { file: 'lib/solver/learning_rate.ts', table: 'policies' },
  },
  'SolverParameter.regularization_type': {
    type: 'RegularizationType',
    doc: 'Pulls of weights towards 0: by the weight or by its sign',
    names: ['L2', 'L1'],
  },
  'SolverParameter.eval_type': {
    type: 'EvaluationType',
    doc: 'What a test reports: its outputs, or mean average precision',
    names: ['classification', 'detection'],
  },
  'SolverParameter.ap_version': {
    type: 'ApVersion',
    doc: "How precision is averaged over recall: '11point' (VOC 2007: the best precision at recall 0, 0.1 … 1 and beyond), 'MaxIntegral' (VOC 2012: the area below the best precision at each recall and beyond), 'Integral' (the area below precision itself)",
    names: { file: 'lib/solver/detection_test.ts', table: 'apVersions' },
  },
  'WindowDataParameter.crop_mode': {
    type: 'WindowCropMode',
    doc: 'How a window becomes a square: scaled, or grown first',
    names: ['warp', 'square'],
  },
  'ChannelNormalizeParameter.normalize_type': normTypes,
}

/** Files that the names come from. */
export const nameSources: readonly string[] = Object.values(fields).flatMap(({ names }) =>
  'file' in names ? [names.file] : [],
)

/** The type of a string field, where its values are known. */
export function namedType(field: string): string | undefined {
  const known = Object.hasOwn(fields, field) ? fields[field] : undefined
  return known && (known.open ? `${known.type} | (string & {})` : known.type)
}

/** The unions of names, as lines of TypeScript. */
export async function nameTypes(): Promise<string[]> {
  const lines = Object.entries(fields).map(async ([field, { type, doc, names }]) => {
    const all = 'file' in names ? await namesOf(names.file, names.table) : names
    return [`/** ${doc}. Values of ${field}. */`, `export type ${type} = ${all.map(name => `'${name}'`).join(' | ')}`]
  })
  return (await Promise.all(lines)).flat()
}

/** The keys of an object, or the strings of a list, that a file declares under this name. */
async function namesOf(file: string, table: string): Promise<string[]> {
  ts ??= (await import('typescript')).default
  const text = await readFile(new URL(`../${file}`, import.meta.url), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext)
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (!ts.isIdentifier(name) || name.text !== table || !initializer) continue
      const value = bare(initializer)
      if (ts.isObjectLiteralExpression(value)) return value.properties.map(property => textOf(property.name, file))
      if (ts.isArrayLiteralExpression(value)) return value.elements.map(element => textOf(element, file))
    }
  }
  throw new Error(`${file} declares no table ${table}`)
}

const bare = (value: TS.Expression): TS.Expression =>
  ts.isAsExpression(value) || ts.isSatisfiesExpression(value) ? bare(value.expression) : value

function textOf(node: TS.Node | undefined, file: string): string {
  if (node && (ts.isIdentifier(node) || ts.isStringLiteral(node))) return node.text
  throw new Error(`${file}: a name of a table is a word or a string`)
}
