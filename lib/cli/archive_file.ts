import { mkdtemp, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isArchive } from '../data/archive.js'
import { RistrettoError } from '../errors.js'
import { readModelArchive, sha256 } from '../net/archive.js'
import { netOf } from '../net/deployed.js'
import { Net } from '../net.js'
import { createFiles } from '../system/files.js'
import { listNames } from '../system/names.js'
import { readStart } from '../system/read_file.js'
import { writeFileSafely } from '../system/write_file.js'
import { loadLayers } from './load_layers.js'
import type { RunOptions, StateOptions } from './options.js'
import { type Output, warn } from './output.js'

/** Whether a file begins as an archive does. */
export async function isArchiveFile(path: string): Promise<boolean> {
  const start = await readStart(path, 512)
  return start !== undefined && isArchive(start)
}

/** The net in an archive. Its custom layers are programs: they run only with --trust. */
export async function loadArchive(
  path: string,
  {
    engine,
    threads,
    seed,
    level,
    stage: stages,
    outputs,
    trust,
    layers: given,
  }: RunOptions & StateOptions & { trust?: boolean },
  output: Output,
): Promise<Net> {
  const model = await readModelArchive(await createFiles().read(path), path)
  const sources = Object.entries(model.layers ?? {})
  if (trust) {
    // here they find the packages that they import
    const folder = await mkdtemp(join(process.cwd(), '.ristretto-layers-'))
    try {
      for (const [name, source] of sources) {
        const file = join(folder, basename(name))
        await writeFileSafely(file, new TextEncoder().encode(source))
        warn(output, `${path}: its custom layers in ${name} (SHA-256 ${await sha256(source)}) run`)
        for (const notice of await loadLayers(file)) warn(output, notice)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  } else if (sources.length && !given?.length)
    throw new RistrettoError(
      `${path} holds custom layers (${listNames(sources.map(([name]) => name))}), which are programs: look at them, then add --trust to run them, or --layers with your own copy`,
    )
  const options = { engine, threads, seed, level, stages, outputs, phase: 'TEST' as const }
  return netOf(model, path, options, (param, options) => Net.create(param, options))
}
