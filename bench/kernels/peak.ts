import asc from 'assemblyscript/asc'

/** Sums that are independent of each other, so that only the multiply-add units limit the loop. */
const SUMS = 12

/** GFLOP/s of one thread that does nothing but multiply-adds on four lanes: what no kernel here can exceed. */
export async function peak(fused: boolean): Promise<number> {
  const names = Array.from({ length: SUMS }, (_, i) => `s${i}`)
  const step = (s: string) => (fused ? `f32x4.relaxed_madd(x, y, ${s})` : `f32x4.add(f32x4.mul(x, y), ${s})`)
  const source = `
    export function loop(n: i32, a: f32): f32 {
      const x = f32x4.splat(a)
      const y = f32x4.splat(1 - a)
      ${names.map(s => `let ${s} = x`).join('\n')}
      for (let i = 0; i < n; i++) {
        ${names.map(s => `${s} = ${step(s)}`).join('\n')}
      }
      return f32x4.extract_lane(${names.slice(1).reduce((sum, s) => `f32x4.add(${sum}, ${s})`, names[0])}, 0)
    }`
  let bytes: Uint8Array<ArrayBuffer> | undefined
  await asc.main(
    ['peak.ts', '-o', 'peak.wasm', '-O3', '--runtime', 'stub', '--enable', fused ? 'relaxed-simd' : 'simd'],
    {
      readFile: name => (name === 'peak.ts' ? source : null),
      writeFile: (name: string, contents: string | Uint8Array) => {
        if (name.endsWith('.wasm')) bytes = Uint8Array.from(contents as Uint8Array)
      },
      listFiles: () => [],
    },
  )
  const { instance } = await WebAssembly.instantiate(bytes!, { env: { abort() {} } })
  const loop = instance.exports.loop as (n: number, a: number) => number
  const n = 2_000_000
  let best = Infinity
  for (let i = 0; i < 20; i++) {
    const started = performance.now()
    loop(n, 0.5)
    best = Math.min(best, performance.now() - started)
  }
  return (8 * SUMS * n) / best / 1e6
}
