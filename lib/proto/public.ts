/**
 * What programs do with texts of nets, and no net or solver by itself. These are functions of their own, not the others
 * given on: esbuild lays chunks by what files import, so that a page which calls none of them would load all they call.
 */
import type { NetParameter, SolverParameter } from '../generated/caffe.js'
import * as settings from './param_str.js'
import * as print from './print.js'

/** The text of a net description, as Caffe reads it. */
export function printNet(net: NetParameter): string {
  return print.printNet(net)
}

/** The text of a solver description, as Caffe reads it. */
export function printSolver(solver: SolverParameter): string {
  return print.printSolver(solver)
}

/**
 * The settings in a layer's `param_str`: a Python dict, JSON, or YAML-like lines, with or without the outer braces.
 *
 *     'margin': 0.2, 'sizes': (1, 2)      {"margin": 0.2, "sizes": [1, 2]}      margin: 0.2
 *                                                                               sizes: [1, 2]
 *
 * True, False, None, true, false, null and ~ are what they say; tuples become lists; a bare word is a string; # starts
 * a comment, and tags such as !!python/tuple say nothing that the value does not. Nothing is evaluated. Throws a
 * NetError that names the place for anything else.
 */
export function parseParamStr(text: string): Record<string, unknown> {
  return settings.parseParamStr(text)
}
