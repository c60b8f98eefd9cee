/** The classes of layers and the types that they are for, read off lib/layers: FooLayer of foo.ts is the class of Foo. */
import { readdir, readFile } from 'node:fs/promises'

const folder = new URL('../lib/layers/', import.meta.url)

/** Types of classes that are not called after them, or have a second name. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  CTCLossLayer: 'CTCLoss CtcLoss',
  DepthwiseConvolutionLayer: 'DepthwiseConvolution ConvolutionDepthwise',
  HardSwishLayer: 'HardSwish HSwish',
  PlainLSTMLayer: 'Lstm',
  SeLULayer: 'SeLU SeLu',
}

/** A type that a prototxt may name, and where its class is. */
export interface ListedLayer {
  readonly type: string
  readonly name: string
  /** In lib/layers, without extension. */
  readonly file: string
}

/** One entry a type, alphabetical. */
export async function layerList(): Promise<readonly ListedLayer[]> {
  const files = (await readdir(folder)).filter(file => file.endsWith('.ts'))
  const entries = files.map(async (file): Promise<ListedLayer[]> => {
    const text = await readFile(new URL(file, folder), 'utf8')
    return [...text.matchAll(/^export class (\w+)Layer\b/gm)].flatMap(([, plain]) => {
      const name = `${plain}Layer`
      const types = (OTHER_NAMES[name] ?? plain).split(' ')
      return types.map(type => ({ type, name, file: file.replace(/\.ts$/, '') }))
    })
  })
  const all = (await Promise.all(entries)).flat().sort((a, b) => a.type.localeCompare(b.type, 'en'))
  const twice = all.find(({ type }, i) => type === all[i + 1]?.type)
  if (twice) throw new Error(`lib/layers has two classes of the type ${twice.type}`)
  const gone = Object.keys(OTHER_NAMES).filter(name => !all.some(entry => entry.name === name))
  if (gone.length) throw new Error(`lib/layers has no ${gone.join(', ')}`)
  return all
}
