import { expect, test } from 'vitest'
import { gpuJs } from '../../lib/engines/gpu/gpujs.js'
import { uniqueNames } from '../../lib/engines/gpu/unique_names.js'

test.each([
  ['function (x, n) { return x[n] * 2 }', 'function (x, n) { return x[n] * 2 }'],
  // a loop's variable named like an argument that the loop does not use
  [
    'function(e,t){let n=t[0],r=0;for(let t=0;t<9;t++)r+=e[t]-n;return r}',
    'function(e,t){let n=t[0],r=0;for(let tn2=0;tn2<9;tn2++)r+=e[tn2]-n;return r}',
  ],
  // properties keep their names, sibling blocks get their own
  [
    'function(x){{const thread=1;x+=thread}{const thread=this.thread.x;x+=thread}return x}',
    'function(x){{const thread=1;x+=thread}{const threadn2=this.thread.x;x+=threadn2}return x}',
  ],
  [
    'function f(a){if(a>0){let a2=a;let b=a2;for(;b<1;)b++;return b}return 0}',
    'function f(a){if(a>0){let a2=a;let b=a2;for(;b<1;)b++;return b}return 0}',
  ],
])('%s', async (text, expected) => {
  expect(uniqueNames(text, await gpuJs())).toBe(expected)
})
