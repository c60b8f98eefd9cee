import { dirname } from 'node:path'
import ts from 'typescript'

/**
 * The package's own types that declarations exported from `entry` (a .d.ts) mention and that none of the package's
 * entries exports: a user would have no name for them. Each as `Name, in …`. Generic aliases (`Loose<T>`) are
 * computations on types and need no name.
 */
export function unexportedTypes(entries: readonly string[]): string[] {
  const program = ts.createProgram([...entries], {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    noEmit: true,
  })
  const checker = program.getTypeChecker()
  const root = dirname(entries[0])
  const resolved = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const exported = new Set<ts.Symbol>()
  const add = (module: ts.Symbol) => {
    for (const symbol of checker.getExportsOfModule(module).map(resolved)) {
      if (exported.has(symbol)) continue
      exported.add(symbol)
      // `export * as io`
      if (symbol.flags & ts.SymbolFlags.ValueModule) add(symbol)
    }
  }
  for (const entry of entries) add(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!)

  const missing = new Map<string, string>()
  const visit = (node: ts.Node, where: string): void => {
    if (ts.isIdentifier(node)) check(node, where)
    // private members stand in declarations without their types, which nobody needs; the library alone uses what is
    // marked as internal, and constructs what has an internal constructor
    else if (
      !(
        ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
      ) &&
      !(ts.isClassElement(node) && ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal'))
    )
      ts.forEachChild(node, child => visit(child, where))
  }
  const check = (node: ts.Identifier, where: string): void => {
    const found = checker.getSymbolAtLocation(node)
    const symbol = found && resolved(found)
    const isType =
      symbol &&
      symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class | ts.SymbolFlags.Enum)
    if (!symbol || !isType || exported.has(symbol)) return
    if (symbol.declarations?.some(declaration => ts.isTypeAliasDeclaration(declaration) && declaration.typeParameters))
      return
    const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? ''
    if (file.startsWith(root)) missing.set(symbol.name, `${symbol.name} of ${file.slice(root.length + 1)}, in ${where}`)
  }
  for (const symbol of exported)
    for (const declaration of symbol.declarations ?? [])
      if (declaration.getSourceFile().fileName.startsWith(root) && !ts.isSourceFile(declaration))
        visit(declaration, symbol.name)
  return [...missing.values()].sort()
}
