import { createHash } from 'node:crypto'

/**
 * Texts of the library that programs of a site fetch when they need them. The package has them already: a site gets them
 * when it is written.
 */
const texts: Readonly<Record<string, () => Promise<Readonly<Record<string, string>>>>> = {
  wasm_plain: () => import('../../generated/wasm_plain.js'),
  wasm_fma: () => import('../../generated/wasm_fma.js'),
}

/** A part of a site's programs: see browser/parts.ts. */
export interface TextPart {
  /** With a hash of its content. */
  readonly file: string
  readonly text: string
}

/** The texts as parts, by the names of their modules. */
export async function textParts(): Promise<Map<string, TextPart>> {
  const made = Object.entries(texts).map(async ([name, load]): Promise<[string, TextPart]> => {
    const exported = JSON.stringify({ ...(await load()) })
    const hash = createHash('sha256').update(exported).digest('hex').slice(0, 8).toUpperCase()
    const file = `${name}-${hash}.js`
    return [name, { file, text: `part(${JSON.stringify(file)},[],(require,module)=>{module.exports=${exported}})\n` }]
  })
  return new Map(await Promise.all(made))
}
