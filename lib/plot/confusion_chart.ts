/** A confusion matrix as a picture: rows are labels, columns predictions, darker is a larger share of the row. */
import { escaped } from './svg_chart.js'

export interface ConfusionPicture {
  readonly title: string
  /** Names of the classes, in order. */
  readonly names: readonly string[]
  /** Counts: rows are labels, columns predictions. */
  readonly rows: readonly (readonly number[])[]
}

/** Side of a cell, in pixels, for few classes and for many. */
const CELL = { large: 44, small: 16 }
/** How many classes have room for their numbers. */
const NUMBERED = 30

/** As SVG. */
export function svgConfusion({ title, names, rows }: ConfusionPicture): string {
  const numbered = names.length <= NUMBERED
  const cell = numbered ? CELL.large : CELL.small
  const size = numbered ? 12 : 10
  const longest = Math.min(24, Math.max(...names.map(name => name.length)))
  const left = 44 + Math.ceil(longest * size * 0.56)
  const top = 64 + Math.ceil(longest * size * 0.45)
  const side = cell * names.length
  const width = Math.max(left + side + 24, 320)
  const height = top + side + 24
  const cells = rows.flatMap((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.flatMap((count, j) => {
      if (!count) return []
      const share = count / total
      const [x, y] = [left + j * cell, top + i * cell]
      const what = `${names[i]} taken for ${names[j]}: ${count} (${(100 * share).toFixed(1)} %)`
      const box = `<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${shade(share, i === j)}"><title>${escaped(what)}</title></rect>`
      if (!numbered) return [box]
      return [
        box,
        `<text x="${x + cell / 2}" y="${y + cell / 2}" dy="0.35em" text-anchor="middle" fill="${share > 0.55 ? '#ffffff' : '#222222'}" pointer-events="none">${short(count)}</text>`,
      ]
    })
  })
  const labels = names.flatMap((name, i) => {
    const text = escaped(name.length > 24 ? `${name.slice(0, 23)}…` : name)
    const middle = i * cell + cell / 2
    return [
      `<text x="${left - 8}" y="${top + middle}" dy="0.35em" text-anchor="end" fill="#222222">${text}</text>`,
      `<text transform="translate(${left + middle} ${top - 8}) rotate(-45)" fill="#222222">${text}</text>`,
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="${size}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="${width / 2}" y="23" text-anchor="middle" font-size="15" font-weight="600" fill="#222222">${escaped(title)}</text>
<text transform="translate(20 ${top + side / 2}) rotate(-90)" text-anchor="middle" fill="#444444">label</text>
<text x="${left + side / 2}" y="42" text-anchor="middle" fill="#444444">prediction</text>
${labels.join('\n')}
<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="#f7f7f7"/>
${cells.join('\n')}
<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="#888888"/>
</svg>
`
}

/** Hits are blue, mistakes orange, from pale to full; the root makes rare mistakes visible. */
function shade(share: number, hit: boolean): string {
  const full = hit ? [0, 114, 178] : [213, 94, 0]
  const strength = Math.sqrt(share)
  return `#${full
    .map(value =>
      Math.round(247 + (value - 247) * strength)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

/** Four characters at most. */
const short = (count: number): string =>
  count < 10_000 ? String(count) : count < 1e6 ? `${Math.round(count / 1000)}k` : `${Math.round(count / 1e6)}M`
