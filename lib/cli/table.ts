import { InvalidArgumentError } from 'commander'

/** Shapes by blob. */
export type Shapes = Record<string, number[]>

/** Parses `data=10,3,227,227`; several add up. */
export function shapeOption(text: string, shapes: Shapes = Object.create(null)): Shapes {
  const match = /^(.+)=(\d+(?:[,x]\d+)*)?$/.exec(text)
  if (!match) throw new InvalidArgumentError('It must be a name, = and sizes: data=10,3,227,227.')
  shapes[match[1]] = match[2] ? match[2].split(/[,x]/).map(Number) : []
  return shapes
}

/** Rows as lines, the first with a rule below it: `words` columns stand to the left, the others are numbers. */
export function tableLines(rows: readonly (readonly string[])[], words: number): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  const lines = rows.map(row =>
    row
      .map((cell, i) => (i < words ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  )
  return [lines[0], '─'.repeat(Math.max(...lines.map(line => line.length))), ...lines.slice(1)]
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`
  const [unit, name] = size < 2 ** 20 ? [1024, 'kB'] : size < 2 ** 30 ? [2 ** 20, 'MB'] : [2 ** 30, 'GB']
  const value = size / (unit as number)
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${name}`
}
