import { FormatError } from '../../errors.js'

/** A picture and its label as a list has them, and where. */
export interface TableRow {
  readonly path: string
  readonly label: string
  readonly place: string
}

const PATH_NAMES = /^(path|file|file[ _]?name|file[ _]?path|image|image[ _]?path|img|picture)$/i
const LABEL_NAMES = /^(label|class|class[ _]?name|category|target|species)$/i

/**
 * Lines of a path and a label: separated by a tab; by commas where the file is called .csv, with quotes as usual; else by
 * the last space, so that paths may hold spaces. The first line may name its columns. Empty lines do not count.
 */
export function parseTable(text: string, name: string): TableRow[] {
  const plain = text.replace(/^\ufeff/, '')
  const rows = /\.csv$/i.test(name) ? csvRows(plain, name) : lineRows(plain, name)
  const [head] = rows
  let [path, label] = [0, 1]
  const named = head?.cells.findIndex(cell => LABEL_NAMES.test(cell.trim())) ?? -1
  const files = head?.cells.findIndex(cell => PATH_NAMES.test(cell.trim())) ?? -1
  const hasHead = named >= 0 && files >= 0
  if (hasHead) [path, label] = [files, named]
  return rows.slice(hasHead ? 1 : 0).map(({ cells, line }) => {
    const place = `${name}:${line}`
    if (hasHead ? cells.length !== head.cells.length : cells.length !== 2)
      throw new FormatError(
        `${place}: the line has ${cells.length} columns, ${
          hasHead
            ? `the first one ${head.cells.length}`
            : "not two, a path and a label; a first line that names 'file' and 'label' says which of more count"
        }`,
      )
    if (!cells[path].trim() || !cells[label].trim())
      throw new FormatError(`${place}: the line is not a path and a label: one of them is empty`)
    return { path: cells[path], label: cells[label].trim(), place }
  })
}

interface Row {
  readonly cells: readonly string[]
  readonly line: number
}

function lineRows(text: string, name: string): Row[] {
  return text.split('\n').flatMap((raw, i) => {
    const line = raw.trimEnd()
    if (line === '') return []
    if (line.includes('\t')) return [{ cells: line.split('\t'), line: i + 1 }]
    const space = line.lastIndexOf(' ')
    if (space < 0) throw new FormatError(`${name}:${i + 1}: the line is not a path, a space and a label`)
    return [{ cells: [line.slice(0, space).trimEnd(), line.slice(space + 1)], line: i + 1 }]
  })
}

/** Cells separated by commas; within quotes commas and line breaks are text, and "" is a quote. */
function csvRows(text: string, name: string): Row[] {
  const rows: Row[] = []
  let cells: string[] = []
  let cell = ''
  let line = 1
  let begun = 1
  const endRow = () => {
    if (cells.length || cell.trim()) rows.push({ cells: [...cells, cell], line: begun })
    cells = []
    cell = ''
    begun = line
  }
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"' && cell === '') {
      const opened = line
      for (i++; text[i] !== '"' || text[i + 1] === '"'; i++) {
        if (i >= text.length) throw new FormatError(`${name}:${opened}: a quote is opened and never closed`)
        if (text[i] === '"') i++
        if (text[i] === '\n') line++
        cell += text[i]
      }
      if (!/[,\r\n]/.test(text[i + 1] ?? '\n')) throw new FormatError(`${name}:${line}: text after a closing quote`)
    } else if (char === ',') {
      cells.push(cell)
      cell = ''
    } else if (char === '\n') {
      line++
      endRow()
    } else if (char !== '\r') cell += char
  }
  endRow()
  return rows
}
