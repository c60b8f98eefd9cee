import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RistrettoError } from '../errors.js'
import type { LayerClass } from '../layer.js'
import { layerClasses, registerLayersOf } from '../net/layer_module.js'
import { importAnywhere } from '../system/typescript.js'

/** The layer classes that a module exports, by name. At least one, or an error. */
export async function importLayers(file: string): Promise<Record<string, LayerClass>> {
  const exports = await importFile(file)
  const layers = layerClasses(exports)
  if (!Object.keys(layers).length)
    throw new RistrettoError(
      `${file}: it exports no layer; export a class that extends Layer (found: ${Object.keys(exports).join(', ') || 'no exports'})`,
    )
  return layers
}

/** Register layer classes of a module, as registerLayersOf does. Returns notices for the user. */
export const takeLayers = (file: string, layers: Readonly<Record<string, LayerClass>>): string[] =>
  registerLayersOf(file, layers).map(
    name => `${file}: its class '${name}' takes the place of the built-in layer of that name`,
  )

/** Import the modules that --layers names and register their layers. Resolves to notices for the user. */
export async function loadLayers(file: string): Promise<string[]> {
  try {
    return takeLayers(file, await importLayers(file)).map(notice => `--layers ${notice}`)
  } catch (error) {
    if (error instanceof RistrettoError) throw new RistrettoError(`--layers ${error.message}`, { cause: error.cause })
    throw error
  }
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  const path = resolve(file)
  await access(path).catch(() => {
    throw new RistrettoError(`${file}: there is no such file`)
  })
  try {
    return await importAnywhere(pathToFileURL(path).href)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[mc]?ts$/.test(path))
      throw new RistrettoError(
        `${file}: Node ${process.versions.node} does not run TypeScript: npm install -D tsx, then put NODE_OPTIONS="--import tsx" before the ` +
          `command; or compile the file (npx esbuild ${file} --outfile=${file.replace(/ts$/, 'js')}) and name that, or use Node 22.18 or later`,
        { cause: error },
      )
    if (!(error instanceof Error) || error instanceof RistrettoError) throw error
    // Node tells the line of what does not parse to nobody but a terminal
    const where = error instanceof SyntaxError ? ` (node --check ${file} shows where)` : ''
    throw new RistrettoError(`${file}${lineIn(error, path)}: ${message}${where}`, { cause: error })
  }
}

/** Where in the file an error was made, ':12', as far as its stack says. */
function lineIn({ stack = '' }: Error, path: string): string {
  const { href } = pathToFileURL(path)
  const at = stack.indexOf(`${href}:`)
  return (at >= 0 && /^:\d+/.exec(stack.slice(at + href.length))?.[0]) || ''
}
