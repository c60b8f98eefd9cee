/**
 * The parts that programs of a site without a server are made of. A part is a plain script that says what it needs and what
 * it does: modules import it for what it says, and a worker without an origin, which may fetch nothing and whose only script
 * is classic, is given all parts as one text.
 */

type Exports = object
type Require = (name: string) => Exports
type Run = (require: Require, module: { exports: Exports }, load: (name: string) => Promise<Exports>) => void

interface Part {
  readonly needs: readonly string[]
  readonly run: Run
}

export interface Parts {
  /** A part is there: what it does, when somebody needs it. */
  (name: string, needs: readonly string[], run: Run): void
  /** Run a part, and before that all that it needs. */
  start(name: string): Exports
}

const known = new Map<string, Part>()
const running = new Map<string, { exports: Exports }>()

function require(name: string): Exports {
  const found = running.get(name)
  if (found) return found.exports
  const part = known.get(name)
  if (!part) throw new Error(`the part ${name} of this program is not there`)
  const module = { exports: {} }
  // before it runs: parts may need each other
  running.set(name, module)
  try {
    part.run(require, module, load)
  } catch (error) {
    running.delete(name)
    throw error
  }
  return module.exports
}

/** Fetch what is not there yet of a part and of all that it needs, and run it. */
async function load(name: string): Promise<Exports> {
  for (let missing = lacking(name); missing.length; missing = lacking(name))
    await Promise.all(missing.map(file => import(`./${file}`)))
  return require(name)
}

function lacking(name: string): string[] {
  const seen = new Set<string>()
  const visit = (next: string): void => {
    if (seen.has(next)) return
    seen.add(next)
    for (const need of known.get(next)?.needs ?? []) visit(need)
  }
  visit(name)
  return [...seen].filter(file => !known.has(file))
}

const parts: Parts = Object.assign(
  (name: string, needs: readonly string[], run: Run) => {
    known.set(name, { needs, run })
  },
  { start: require },
)
Object.assign(globalThis, { part: parts })
