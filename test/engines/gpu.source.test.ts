import { expect, test } from 'vitest'
import { gpuJs } from '../../lib/engines/gpu/gpujs.js'
import { portableSource } from '../../lib/engines/gpu/portable_source.js'

const same = 'function (x, n) { const v = x[0][n]; return v * 2 }'

test.each([
  ['leaves plain text alone', same, same],
  [
    'gives a loop variable that is called like an argument another name',
    'function(e,t){let n=t[0],r=0;for(let t=0;t<9;t++){r+=e[t]-n;}return r}',
    'function(e,t){let n=t[0],r=0;for (let tn2=0; tn2<9; tn2++) { {r+=e[tn2]-n;} }return r}',
  ],
  [
    'leaves properties alone, and names the variables of sibling blocks apart',
    'function(x){{const thread=1;x+=thread;}{const thread=this.thread.x;x+=thread;}return x}',
    'function(x){{const thread=1;x+=thread;}{const threadn2=this.thread.x;x+=threadn2;}return x}',
  ],
  ['makes an if of &&', 'function(a){return a>1&&(a-=1),a}', 'function(a){if (a>1) { a-=1; } return a;}'],
  [
    'makes statements of ?:, a sequence and a decrement',
    'function(a){a>1?a--:(a=2,a++);return a}',
    'function(a){if (a>1) { a -= 1; } else { a=2; a += 1; }return a}',
  ],
  ['writes names without $', 'function $a(b$){return $c(b$)}', 'function Dollara(bDollar){return Dollarc(bDollar)}'],
  [
    'gives branches braces',
    'function(a){if(a>1)return 1;else a=2;return a}',
    'function(a){if (a>1) { return 1; } else { a=2; }return a}',
  ],
])('%s', async (_, text, expected) => {
  expect(portableSource(text, await gpuJs())).toBe(expected)
})
