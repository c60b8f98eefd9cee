import { type GpuJs, gpuJs } from '../../lib/engines/gpu/gpujs.js'
import { portableKernel } from '../../lib/engines/gpu/portable_source.js'
import { type ShaderText, shaderText } from '../../lib/engines/gpu/shader_text.js'

/** Bodies of kernels (x: a tensor of 3 × 2, n: a number; constants D = 3) that use the corners of the language. */
export const oddKernels: Readonly<Record<string, string>> = {
  'this.thread in a variable': 'const t = this.thread; return t.x',
  while: 'let s = 0; while (s < 10) s += 1; return s',
  'do while': 'let s = 0; do { s += 1 } while (s < 5); return s',
  'a condition in a variable': 'const b = x[0][0][0] > 1; if (b) return 1; return 0',
  'a condition as a number': 'const b = x[0][0][0] > 1; return b + 1',
  'a condition returned': 'return x[0][0][0] > 1',
  'conditions joined': 'const a = x[0][0][0] > 1; const c = n > 2; if (a && !c) return 1; return 0',
  'conditions compared': 'return (n > 1) == (x[0][0][0] > 1) ? 1 : 0',
  'bits of numbers': 'return (x[0][0][0] & 3) + ((x[0][0][0] >>> 1) + (n << 2)) + ~this.thread.x',
  'bits of places': 'return this.thread.x ^ 1',
  'power and remainder': 'return x[0][0][0] ** 2 + x[0][0][0] % 2',
  'functions of Math':
    'return Math.sign(n) + Math.cbrt(n) + Math.trunc(n) + Math.atan2(n, 2) + Math.min(n, 2, 3) + Math.log10(n) + Math.log1p(n) + Math.expm1(n) + Math.round(n) + Math.fround(n) + Math.sinh(n) + Math.PI',
  'an argument that is changed': 'n = n + 1; return n',
  'a place that is changed': 'let i = this.thread.x; i++; return i',
  'an index that is a number': 'return x[0][0][n] + x[0][0][this.thread.x / 2]',
  'whole numbers that are divided': 'let i = 0; for (let k = 0; k < 3; k++) i = k; return i / 2',
  'whole numbers that become others': 'let i = this.thread.x; i = i * 0.5; return x[0][0][i]',
  'choices in choices': 'return n > 2 ? x[0][0][0] : n < 1 ? 2 : 3',
  literals: 'return 0xffffffff - 1_000 + 1e-46 + -0',
  sequence: 'let a = (n, 2); return a',
  'names that shadow': 'let a = 1; { let a = 2; n + a } return a',
  'a loop down': 'let s = 0; for (let i = n; i > 0; i--) s += i; return s',
  'a loop of fractions': 'let s = 0; for (let i = 0; i < 1; i += 0.25) s += i; return s',
  'a loop without a head': 'let s = 0; for (;;) { s++; if (s > 3) break } return s',
  'var in a loop': 'var s = 0; for (var i = 0; i < 3; i++) s += i; return s + i',
  switch: 'let r = 0; switch (n) { case 1: r = 1; break; case 2: r = 2; break; default: r = 3 } return r',
  'switch of places': 'switch (this.thread.x) { case 0: return 1; default: return 2 }',
  'returns on both sides': 'if (n > 1) { return 1 } else { return 2 }',
  'a variable without a value': 'let v; if (n > 1) v = 1; else v = 2; return v',
  'assignments with conditions': 'let a = n; a ||= 1; return a ?? 1',
  'words of shader languages':
    'let sampler = 1; let texture = 2; let half = 3; let fn = 4; let gl_x = 5; let a__b = 6; return sampler + texture + half + fn + gl_x + a__b',
  'names of other letters': 'let é = 1; let $a = 1; let _b = 2; return é + $a + _b',
  'a constant in an index': 'let i = this.constants.D; return x[0][0][i - 1]',
}

/** What a page's devices compile of it. */
export async function textOf(name: string): Promise<ShaderText> {
  const lib: GpuJs = await gpuJs()
  const kernel = { name, source: () => `function (x, n) { ${oddKernels[name]} }`, functions: [] }
  const constants = { D: 3 }
  const x = new Float32Array(6)
  const { source, functions } = portableKernel(kernel, constants, [{ native: x, dims: [3, 2, 1] }, 2], lib)
  return shaderText(name, source, { output: [2, 1, 1], functions, constants }, [new lib.Input(x, [3, 2, 1]), 2], lib)
}
