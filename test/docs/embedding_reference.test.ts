import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from './embedding_blocks.js'

const page = readFileSync(join(root, 'docs/reference.md'), 'utf8')
/** The faces of the package. */
const entries = ['index', 'pycaffe/index', 'tools/index', 'proto/types', 'studio/index', 'testing'].map(face =>
  join(root, `lib/${face}.ts`),
)
const options: ts.CompilerOptions = {
  // names and comments are all the library's own: the DOM's, Node's and packages' declarations are most of what there is to read
  noLib: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
}
const host = ts.createCompilerHost(options)
host.resolveModuleNameLiterals = (literals, file) =>
  literals.map(({ text }) =>
    /^\.(?!.*generated\/(?:gpujs|sucrase|wasm_|\w+_worker))/.test(text)
      ? ts.resolveModuleName(text, file, options, host, undefined, undefined, ts.ModuleKind.ESNext)
      : { resolvedModule: undefined },
  )
const program = ts.createProgram(entries, options, host)
const checker = program.getTypeChecker()
/** Public names with what they stand for. */
const names = new Map(
  entries.flatMap(file =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!)
      .map(
        symbol =>
          [symbol.name, symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol] as const,
      ),
  ),
)

test('every public name has a doc comment', () => {
  expect(names.size).toBeGreaterThan(100)
  const bare = [...names].filter(([, symbol]) => {
    const comments = symbol.getDocumentationComment(checker)
    // a module that is exported as a name (io) has its comment at its top
    return comments.length === 0 && !(symbol.flags & ts.SymbolFlags.Module)
  })
  expect(bare.map(([name]) => name)).toEqual([])
})

test('docs/reference.md names what there is', () => {
  const quoted = [...page.matchAll(/`([A-Za-z]+)(?:\.([A-Za-z]+))?`/g)].map(match => [match[1], match[2]])
  expect(quoted.length).toBeGreaterThan(40)
  for (const [name, member] of quoted) {
    if (name === 'ristretto') continue
    const symbol = names.get(name)
    expect(symbol, name).toBeDefined()
    if (!member) continue
    const found = [
      ...(symbol!.members?.keys() ?? []),
      // what an interface or class has from others
      ...(symbol!.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class)
        ? checker
            .getDeclaredTypeOfSymbol(symbol!)
            .getProperties()
            .map(({ name }) => name)
        : []),
      ...(symbol!.exports?.keys() ?? []),
      ...(symbol!.flags & ts.SymbolFlags.Module ? checker.getExportsOfModule(symbol!).map(({ name }) => name) : []),
    ]
    expect(found, name).toContain(member)
  }
})

test('docs/reference.md links every page of a layer', () => {
  const linked = [...page.matchAll(/\]\(layers\/([\w.]+)\)/g)].map(match => match[1])
  expect(linked.sort()).toEqual(readdirSync(join(root, 'docs/layers')).sort())
})
