export type Cell = string | number | undefined

/** Columns aligned: numbers to the right, text to the left. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map(row => head.map((_, i) => cellText(row[i])))
  const numeric = head.map(
    (_, i) => rows.some(row => typeof row[i] === 'number') || texts.every(row => /^(≥ )?[\d.]*×?$/.test(row[i])),
  )
  const widths = head.map((title, i) => Math.max(title.length, ...texts.map(row => row[i].length)))
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ')}`.trimEnd()
  return `${[line(head), ...texts.map(line)].join('\n')}\n`
}

function cellText(cell: Cell): string {
  if (typeof cell !== 'number') return cell ?? ''
  if (Number.isInteger(cell)) return String(cell)
  return cell >= 100 ? cell.toFixed(0) : cell >= 10 ? cell.toFixed(1) : cell.toFixed(cell >= 1 ? 2 : 3)
}
