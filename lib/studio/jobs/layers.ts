import { FormatError, RistrettoError } from '../../errors.js'
import * as ristretto from '../../index.js'
import type { LayerClass } from '../../layer.js'
import { layerClasses, registerLayersOf } from '../../net/layer_module.js'
import { registerLayerModule, rememberLayers } from '../../registry.js'
import { listNames } from '../../system/names.js'
import { isNode } from '../../system/nodejs.js'
import { codeError, compileLayer } from './compile_layer.js'

/** Files of custom layers, TypeScript or JavaScript, by name. */
export type LayerFiles = Readonly<Record<string, string>>

/** The classes of a file, by name. */
export type LayerModules = Readonly<Record<string, Readonly<Record<string, LayerClass>>>>

/** A file as a function of what it imports with and exports to. */
type ModuleBody = (
  require: (name: string) => unknown,
  exports: Record<string, unknown>,
  module: { exports: Record<string, unknown> },
) => void

/**
 * How a text becomes a module: `data:` URLs work in Node (under its permission model, too) and in sandboxed frames,
 * `blob:` ones in workers of pages whose policy takes no others.
 */
export type ModuleUrls = 'data' | 'blob'

/** Module name under which DIGITS had whatever was uploaded with a net. */
const DIGITS = 'digits_python_layers'

const MOST_FILES = 100
const MOST_BYTES = 2 ** 22

const known = new Map<string, Promise<LayerModules>>()

/**
 * The classes of layers in files of code, which are run for that. They import from 'ristretto', which is this library
 * itself, and from each other. A FormatError with line and column for what is no code, or fails; texts that were seen
 * before give the same classes again.
 */
export function importLayerFiles(
  files: LayerFiles,
  urls: ModuleUrls = isNode ? 'data' : 'blob',
): Promise<LayerModules> {
  const key = JSON.stringify(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
  let found = known.get(key)
  if (!found) {
    found = importAll(files, urls)
    known.set(key, found)
    found.catch(() => known.delete(key))
  }
  return found
}

async function importAll(files: LayerFiles, urls: ModuleUrls): Promise<LayerModules> {
  const entries = Object.entries(files)
  const size = entries.reduce((sum, [, source]) => sum + source.length, 0)
  if (entries.length > MOST_FILES || size > MOST_BYTES)
    throw new RistrettoError(
      `${entries.length} files of layers with ${size} characters: at most ${MOST_FILES} with ${MOST_BYTES} are taken`,
    )
  const bodies = new Map<string, ModuleBody>()
  for (const [file, source] of entries) {
    if (!/^[\w.-]+\.[cm]?[jt]s$/.test(file))
      throw new FormatError(
        `'${file}' is no name of a file with layers: letters, digits, - and _, and .ts or .js behind`,
      )
    bodies.set(file, await bodyOf(file, source, await compileLayer(file, source), urls))
  }
  const modules = new Map<string, { exports: Record<string, unknown> }>()
  const load = (file: string): Record<string, unknown> => {
    const there = modules.get(file)
    if (there) return there.exports
    const module = { exports: {} as Record<string, unknown> }
    modules.set(file, module)
    try {
      bodies.get(file)!(name => resolve(name, file), module.exports, module)
    } catch (error) {
      throw located(file, files[file], error)
    }
    return module.exports
  }
  const resolve = (name: string, from: string): unknown => {
    if (name === 'ristretto') return ristretto
    const stem = /^\.\/([\w.-]+)$/.exec(name)?.[1].replace(/\.[cm]?[jt]s$/, '')
    const file = stem && [...bodies.keys()].find(file => file.replace(/\.[cm]?[jt]s$/, '') === stem)
    if (file) return load(file)
    const others = [...bodies.keys()].filter(file => file !== from).map(file => `'./${file}'`)
    throw new RistrettoError(
      `it imports '${name}': layers import from ${listNames(["'ristretto'", ...others])}, and from nothing else`,
    )
  }
  return Object.fromEntries(entries.map(([file]) => [file, layerClasses(load(file))]))
}

/** The text as a module of its own; its lines keep their numbers. */
async function bodyOf(file: string, source: string, code: string, urls: ModuleUrls): Promise<ModuleBody> {
  const text = `export default function (require, exports, module) {${code}\n}\n//# sourceURL=${file}\n`
  const type = 'text/javascript'
  const blob = urls === 'blob' ? URL.createObjectURL(new Blob([text], { type })) : undefined
  const url = blob ?? `data:${type};charset=utf-8,${encodeURIComponent(text)}`
  try {
    const { default: body } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as {
      default: ModuleBody
    }
    return body
  } catch (error) {
    throw located(file, source, error)
  } finally {
    if (blob) URL.revokeObjectURL(blob)
  }
}

/** What a file's code threw, with its line, as far as the engine tells. */
function located(file: string, source: string, error: unknown): unknown {
  if (error instanceof FormatError && error.line !== undefined) return error
  const { message, stack = '' } = error instanceof Error ? error : { message: String(error) }
  // the name by sourceURL, or the end of a data: URL
  const place = new RegExp(`${file.replace(/[.]/g, '\\.')}(?:%0A)?:(\\d+)(?::(\\d+))?`).exec(stack)
  const text =
    error instanceof RistrettoError ? message : `${error instanceof Error ? error.name : 'Error'}: ${message}`
  return codeError(file, source, text, Number(place?.[1] ?? 1), Number(place?.[2] ?? 1), error)
}

/**
 * Make the classes of files known to nets: each under its own name and under its file's, as `--layers` does, and under
 * the module that nets of DIGITS name. Returns the names.
 */
export async function registerLayerFiles(files: LayerFiles, urls?: ModuleUrls): Promise<string[]> {
  const modules = await importLayerFiles(files, urls)
  for (const [file, classes] of Object.entries(modules)) {
    registerLayersOf(file, classes)
    registerLayerModule(DIGITS, classes)
  }
  return Object.values(modules).flatMap(classes => Object.keys(classes))
}

let last: Promise<unknown> = Promise.resolve()

/**
 * Do what makes nets with these classes registered and no others: one task after the other, since a process has one
 * table of types. Passes of a net that stands need no such turn.
 */
export function withLayers<T>(files: LayerFiles | undefined, task: () => Promise<T>): Promise<T> {
  const turn = last.then(async () => {
    const putBack = rememberLayers()
    try {
      if (files) await registerLayerFiles(files)
      return await task()
    } finally {
      putBack()
    }
  })
  last = turn.catch(() => {})
  return turn
}
