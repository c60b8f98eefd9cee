import { findSubject, goldenRow, kernelRow, type Row, startEngines } from './cases.js'
import { ownTests } from './own_tests.js'
import { table } from './table.js'

/** Milliseconds for the kernels on each engine, unless all of them are wanted. */
const LIMIT = 250

/**
 * Tries the layer type or kernel and prints how it went; resolves to the exit code. The layer's own tests may have been
 * begun already, by the name that was given.
 */
export async function tryOut(name: string, all: boolean, begun?: Promise<Row> | undefined): Promise<number> {
  try {
    const { type, kernels } = findSubject(name)
    const early = begun ?? (type !== undefined && !all ? ownTests(type, ['wasm']) : undefined)
    const { engines, missing } = await startEngines(['js', 'wasm', 'native', 'gpu:webasm', 'gpu:cpu'])
    const hosts = engines.filter(({ isHost }) => isHost).map(engine => engine.name)
    // beside what this process computes
    const own = all && type !== undefined ? ownTests(type, hosts) : early
    const rows: (Row | undefined)[] = []
    for (const engine of engines) {
      if (type !== undefined) rows.push(await goldenRow(type, engine))
      rows.push(await kernelRow(kernels, engine, all ? undefined : LIMIT))
    }
    rows.push(await own)
    const done = rows.filter(row => row !== undefined)
    console.log(table(done))
    const left = done.reduce((sum, row) => sum + (row.left ?? 0), 0)
    if (left > 0) console.log(`${left} kernel cases were left out for want of time; --all runs them`)
    for (const line of missing) console.log(`not here: ${line}`)
    const failures = done.flatMap(({ engine, failures }) => failures.map(failure => `${engine}: ${failure}`))
    for (const failure of failures) console.error(`FAILED ${failure}`)
    if (done.length === 0)
      console.error(`nothing to run: '${type ?? name}' has no recorded case, no kernel and no test of its own`)
    return failures.length > 0 || done.length === 0 ? 1 : 0
  } catch (error) {
    console.error((error as Error).message)
    return 1
  }
}
