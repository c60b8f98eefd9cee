import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import type { Net } from '../net.js'
import { isFields, mustTake } from '../system/arguments.js'
import { aFlag, anything, aWhole, checkOptions, names, type OptionRules } from '../system/check_options.js'
import { writeFileSafely } from '../system/write_file.js'
import { dotOf } from './draw/dot.js'
import { type GraphOptions, graphOf } from './draw/drawing.js'
import { mermaidOf } from './draw/mermaid.js'
import { svgOf } from './draw/svg.js'

/** What a net can be drawn as: a picture, or text for Graphviz or Mermaid. */
export type DrawFormat = 'svg' | 'dot' | 'mermaid'

/** How a net is drawn. */
export interface DrawOptions extends GraphOptions {
  /** A picture, or text for Graphviz or Mermaid; default 'svg'. */
  format?: DrawFormat
}

const RULES: OptionRules<DrawOptions> = {
  format: anything,
  rankdir: anything,
  phase: anything,
  level: aWhole,
  stages: names,
  displayLrm: aFlag,
  labelEdges: aFlag,
}

/**
 * A net, or its description, as a graph: a box for every layer, an octagon for every blob, in the colours of Caffe's
 * own drawings. Gives SVG, laid out here, or the text of a Graphviz or Mermaid graph.
 *
 *     await writeFile('lenet.svg', drawNet(parseNet(text), { rankdir: 'TB', phase: 'TRAIN' }))
 */
export function drawNet(net: NetParameter | Pick<Net, 'param'>, options: DrawOptions = {}): string {
  mustTake(isFields(net), 'drawNet', 'a net or its description, as parseNet gives it', net)
  checkOptions('drawNet', options, RULES)
  const { format = 'svg', ...graphOptions } = options
  const graph = graphOf('param' in net ? net.param : net, graphOptions)
  switch (format) {
    case 'svg':
      return svgOf(graph)
    case 'dot':
      return dotOf(graph)
    case 'mermaid':
      return mermaidOf(graph)
    default:
      throw new RistrettoError(`a net cannot be drawn as '${format}', only as svg, dot or mermaid`)
  }
}

const FORMATS: Record<string, DrawFormat> = {
  svg: 'svg',
  dot: 'dot',
  gv: 'dot',
  raw: 'dot',
  mmd: 'mermaid',
  mermaid: 'mermaid',
}

/** The same into a file; the format is that of its extension: .svg, .dot, .gv, .mmd or .mermaid. */
export async function drawNetToFile(
  net: NetParameter | Pick<Net, 'param'>,
  file: string,
  options: DrawOptions = {},
): Promise<void> {
  mustTake(isFields(net), 'drawNetToFile', 'a net or its description, as parseNet gives it', net)
  mustTake(typeof file === 'string', 'drawNetToFile', "a net and a path, 'net.svg'", file)
  checkOptions('drawNetToFile', options, RULES)
  const extension = /\.([a-z]+)$/i.exec(file)?.[1].toLowerCase() ?? ''
  const format = options.format ?? FORMATS[extension]
  if (!format)
    throw new RistrettoError(
      `${file}: a net is drawn as .svg, .dot or .mmd; for ${extension ? `.${extension}` : 'other formats'} convert the SVG with a picture program`,
    )
  await writeFileSafely(file, new TextEncoder().encode(drawNet(net, { ...options, format })))
}
