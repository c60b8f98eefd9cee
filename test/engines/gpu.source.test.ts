import { beforeAll, describe, expect, test } from 'vitest'
import { type GpuJs, gpuJs, type SyntaxNode } from '../../lib/engines/gpu/gpujs.js'
import { partsOf } from '../../lib/engines/gpu/kernel_syntax.js'
import { portableKernel, portableSource } from '../../lib/engines/gpu/portable_source.js'
import { EngineError } from '../../lib/errors.js'
import { generatedKernel, gpuKernel, type KernelFunction } from '../../lib/gpu_kernel.js'

let lib: GpuJs
beforeAll(async () => {
  lib = await gpuJs()
})

/** What gpu.js does not take: its kinds. */
function strange(node: SyntaxNode, isStatement = false): string[] {
  const own =
    /^(?:Sequence|Update)Expression$|^Switch/.test(node.type) ||
    (node.type === 'AssignmentExpression' && !isStatement) ||
    (node.type === 'UnaryExpression' && /[+v]/.test(node.operator as string))
  const loop = node.type === 'ForStatement' ? [node.update as SyntaxNode] : []
  const parts = partsOf(node).filter(part => !loop.includes(part))
  return [...(own ? [node.type] : []), ...parts.flatMap(part => strange(part, node.type === 'ExpressionStatement'))]
}

test.each([
  [
    'gives an inner variable another name than an outer one',
    'function(e,n){let r=0;for(let t=0;t<9;t++){let r=e[0][0][t];n+=r}{let t=3;r+=t}return r+n}',
    'function (e, n) { let nn2 = n; let r = 0; for (let t = 0; (t < 9); t++) { let rn2 = e[0][0][t]; nn2 += rn2; } let tn2 = 3; r += tn2; return (r + nn2); }',
  ],
  [
    'makes an if of &&, and statements of a sequence',
    'function(a){let b=0;return a>1&&(b=1),a--,b}',
    'function (a) { let an2 = a; let b = 0; if ((an2 > 1)) { b = 1; } an2 -= 1; return b; }',
  ],
  [
    'makes numbers of conditions and conditions of numbers',
    'function(a,b){return a?+(a>b)+!b*2:!0}',
    'function (a, b) { return ((a !== 0) ? (((a > b) ? 1 : 0) + ((!((b !== 0)) ? 1 : 0) * 2)) : 1); }',
  ],
  [
    'counts with a for where the bound is a constant, keeps all else of its head out of it',
    'function(){for(var s=0,i=0;i<this.constants.n;i++,s+=2)if(i>3)continue;return s}',
    'function () { let s = 0; s = 0; for (let i = 0; (i < this.constants.n); i++) { if ((i > 3)) { s += 2; continue; } s += 2; } return s; }',
  ],
  [
    'writes names as shader languages take them',
    'function $a(b$,__c__d){return b$+__c__d}',
    'function (bDollar, _c_d) { return (bDollar + _c_d); }',
  ],
])('%s', (_, text, expected) => {
  expect(portableSource(text, lib)).toBe(expected)
})

describe('says in JavaScript what was said before', () => {
  const inputs = [-2, -1, 0, 1, 2, 3, 7]
  test.each([
    'function(a,b){let i=a;return i++*10+i--*100+ ++i+b}',
    'function(a,b){let x=a,y=(x+=b,x)*(x=2);return x+10*y}',
    'function(a,b){let t;return(t=a)>b?t*=2:t-=1,t}',
    'function(a,b){let t=0;if((t=a-b)&&(t+=5)||(t=9))t*=2;return t}',
    'function(a,b){return a&&b}',
    'function(a,b){return(a||b)+(a>b||b>2)}',
    'function(a,b){let t=0;return(a&&(t=b))+10*t}',
    'function(a,b){let s=0;for(let i=a;i<b;)s+=i++;return s}',
    'function(a,b){let s=0,i=9;while(i-->a)s+=i*b;return s}',
    'function(a,b){let s=0;do{if(s++>4)continue;s+=b>0?b:1}while(s<20);return s}',
    'function(a,b){let s=0;for(;;){if(s>a)break;s+=1.5}return s+b}',
    'function(a,b){for(var n=0,r=1;n<3;n++,r*=2);for(var n=0;n<2;n++)r+=a;return r+n*b}',
    'function(a,b){var s=0;for(let i=0;i<4;i++){var t=i*a;s+=t}return s+t+b}',
    'function(a,b){switch(a){case 1:return 5;case 2:case 3:b+=1;break;default:b=-b}return b}',
    'function(a,b){let s=0;for(let i=0;i<9;i+=2){switch(i){case 2:continue;case 4:s+=100;break}s+=i}return s+a*b}',
    'function(a,b){return Math.max(a,b,1)+Math.min(b,4,a)-(a**2)%3}',
    'function(a,b){return a==b?1:a!=b&&a<0?-1:+!(a>b)}',
    'function(a,b){let t=a;return t&&=b,t||=3,t**=2,t%=5,t|=8,t^=b&1,t<<=1,t>>=1,t}',
    'function(a,b){return{a:1}&&a,a+b}',
    'function(a,b){let f=!1,g=!0;if(a>b)f=!f;return f?g?1:2:b?+g:-3}',
    'function(a,b){"use strict";void a;let{x:c}=this.thread,k=this.constants;return a*c+b*k.n}',
  ])('%s', text => {
    const self = { thread: { x: 3, y: 0, z: 0 }, constants: { n: 4 } }
    if (text.includes('{a:1}')) {
      expect(() => portableSource(text, lib)).toThrow(/ObjectExpression/)
      return
    }
    const portable = portableSource(text, lib)
    expect(strange(lib.acorn.parse(`(${portable})`, { ecmaVersion: 'latest' }))).toEqual([])
    for (const a of inputs)
      for (const b of inputs) {
        const run = (source: string) => Number(new Function(`return (${source})`)().call(self, a, b))
        expect(run(portable), `${portable} of ${a}, ${b}`).toBe(run(text))
      }
  })
})

describe('refuses, with the kernel, the place and what helps', () => {
  const x = { native: {}, dims: [3, 1, 1] as const }
  test.each<[string, string, RegExp]>([
    [
      'a variable from around it',
      'function(x){return x[0][0][0]*factor}',
      /'factor': it is not defined in the kernel.*pass it/,
    ],
    [
      'a function from around it',
      'function(x){return other(x[0][0][0])}',
      /'other\(x\[0\]\[0\]\[0\]\)': no such function/,
    ],
    [
      'what Math has not everywhere',
      'function(x){return Math.hypot(x[0][0][0],1)}',
      /not every device has Math\.hypot; they have abs/,
    ],
    ['random numbers', 'function(x){return Math.random()*x[0][0][0]}', /not every device has Math\.random/],
    ['local arrays', 'function(x){const a=[1,2,3];return a[0]+x[0][0][0]}', /'\[1,2,3\]': arrays inside a kernel/],
    ['new arrays', 'function(x){const a=new Array(9);return x[0][0][0]}', /'new Array\(9\)': arrays inside a kernel/],
    ['infinity', 'function(x){return Math.min(x[0][0][0],Infinity)}', /'Infinity': shader languages do not have it/],
    ['infinity, minified', 'function(x){return Math.min(x[0][0][0],1/0)}', /'1\/0': shader languages have no infinity/],
    [
      'numbers too large',
      'function(x){return Math.min(x[0][0][0],1.7976931348623157e308)}',
      /more than single precision holds/,
    ],
    ['tests for NaN', 'function(x){return x[0][0][0]!==x[0][0][0]?0:1}', /equals itself on some devices/],
    ['a tensor as a number', 'function(x){return x+1}', /'x': a tensor is indexed/],
    ['a tensor of fewer axes', 'function(x){return x[this.thread.x]}', /three axes, x\[z\]\[y\]\[x\]/],
    ['writing to a tensor', 'function(x){x[0][0][0]=1;return 1}', /writes to its own variables only/],
    [
      'a case that goes on',
      'function(x){let s=0;switch(this.thread.x){case 0:s+=1;case 1:s+=2}return s}',
      /a case of a switch ends with break or return/,
    ],
    ['labels', 'function(x){a:for(let i=0;i<3;i++)for(let k=0;k<3;k++)continue a;return 1}', /LabeledStatement/],
    ['a path without a value', 'function(x){if(x[0][0][0]>0)return 1}', /not every path through it returns a value/],
    [
      'a function inside',
      'function(x){const f=v=>v*v;return f(x[0][0][0])}',
      /a function inside a kernel: give it to gpuKernel/,
    ],
    ['texts', 'function(x){return x[0][0][0]+"1"}', /a kernel has numbers only/],
    [
      'constants that are not given',
      'function(x){return x[0][0][0]*this.constants.n}',
      /'this\.constants\.n': run was given the constants m/,
    ],
    ['this.output', 'function(x){return x[0][0][0]*this.output.x}', /a kernel sees this\.thread\.x/],
    [
      'too few arguments',
      'function(x,beta){return x[0][0][0]*beta}',
      /it takes 2 arguments \(x, beta\), run was given 1/,
    ],
    ['default values', 'function(x=1){return x}', /no default value/],
  ])('%s', (_, text, message) => {
    const kernel = { name: 'mine', source: () => text, functions: [] }
    const compile = () => portableKernel(kernel, { m: 1 }, [x], lib)
    expect(compile).toThrow(EngineError)
    expect(compile).toThrow(/^kernel 'mine': /)
    expect(compile).toThrow(message)
  })

  test('an eighth tensor', () => {
    const kernel = { name: 'mine', source: () => 'function(a){return 1}', functions: [] }
    expect(() => portableKernel(kernel, {}, Array(8).fill(x), lib)).toThrow(/reads 8 tensors, and some devices bind 7/)
    expect(portableKernel(kernel, {}, Array(7).fill(x), lib).source).toMatch(/^function \(a, unused, .*unusedn6\)/)
  })
})

test('one text is made once for all sizes, and anew where what it is given decides it', () => {
  const text = 'function (x, y) { return this.constants.n; }'
  const made = (constants: Record<string, number>, ...args: (typeof x | number)[]) =>
    portableKernel({ name: 'any', source: () => text, functions: [] }, constants, args, lib)
  const x = { native: {}, dims: [3, 1, 1] as const }
  expect(made({ n: 9 }, x, 1)).toBe(made({ n: 2 }, x, 5))
  expect(made({ n: 9 }, x, 1, 1).source).toMatch(/^function \(x, y, unused\)/)
  expect(() => made({ m: 9 }, x, 1)).toThrow(/run was given the constants m$/)
})

test('rows that a thread stores besides the one it returns stay', () => {
  const text = 'function (x) { const a = x[0][0][0]; storeRow(1, a, 2, 3, 4); return [a, 1, 1, 1] }'
  const kernel = generatedKernel('rows', () => text, 4, 2)
  const x = { native: {}, dims: [3, 1, 1] as const }
  expect(portableKernel(kernel, {}, [x], lib)).toEqual({
    source: 'function (x) { const a = x[0][0][0]; storeRow(1, a, 2, 3, 4); return [a, 1, 1, 1]; }',
    functions: ['function storeRow(row, a, b, c, d) { return ((((row + a) + b) + c) + d); }'],
  })
})

describe('helpers', () => {
  const bodyOf = (text: string) => new Function(`return (${text})`)() as KernelFunction
  const x = { native: {}, dims: [3, 1, 1] as const }

  test('arrows and function expressions go by the name of their variable', () => {
    const square = (v: number) => v * v
    const half = (v: number) => v / 2
    const kernel = gpuKernel('k', bodyOf('function(x){return square(half(x[0][0][0]))}'), [square, half])
    const { source, functions } = portableKernel(kernel, {}, [x], lib)
    expect(source).toBe('function (x) { return squareHelper(halfHelper(x[0][0][0])); }')
    expect(functions).toEqual([
      'function squareHelper(v) { return (v * v); }',
      'function halfHelper(v) { return (v / 2); }',
    ])
  })

  test('one that knows itself by another name is found where it is the only one that fits', () => {
    const square = (v: number) => v * v
    const add = (v: number, w: number) => v + w
    const kernel = gpuKernel('k', bodyOf('function(x){return a((0,m.b)(x[0][0][0],1))}'), [square, add])
    expect(portableKernel(kernel, {}, [x], lib).source).toBe(
      'function (x) { return squareHelper(addHelper(x[0][0][0], 1)); }',
    )
  })

  test('one without a name, one that is no function, one that is wrong inside', () => {
    const one = () => 1
    expect(() =>
      gpuKernel('k', one, [
        (
          () => (v: number) =>
            v
        )(),
      ]),
    ).toThrow(/kernel 'k': a helper has no name/)
    expect(() => gpuKernel('k', one, ['square' as never])).toThrow(/kernel 'k': its helpers are functions/)
    expect(() => gpuKernel('k', 'function' as never)).toThrow(/gpuKernel\('k', …\): the second argument is the kernel/)
    const bad = (v: number) => Math.hypot(v, 1)
    expect(() => portableKernel(gpuKernel('k', one, [bad]), {}, [], lib)).toThrow(
      /^kernel 'k', helper 'bad': .*not every device has Math\.hypot/,
    )
  })
})
