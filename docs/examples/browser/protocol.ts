/** What the page asks of the worker. */
export type Request =
  | { readonly type: 'start'; readonly engine: string; readonly iterations: number }
  | { readonly type: 'stop' }
  /** 28 × 28 values from 0 to 1, white on black. */
  | { readonly type: 'classify'; readonly pixels: Float32Array }
  /** The bytes of a .caffemodel. */
  | { readonly type: 'weights'; readonly name: string; readonly bytes: Uint8Array }

/** What the worker tells the page. */
export type Reply =
  | { readonly type: 'ready'; readonly engine: string; readonly detail: string; readonly explanation: string }
  | { readonly type: 'loss'; readonly iter: number; readonly loss: number; readonly msPerIteration: number }
  | { readonly type: 'accuracy'; readonly iter: number; readonly accuracy: number }
  | { readonly type: 'stopped'; readonly iter: number }
  | { readonly type: 'probabilities'; readonly values: Float32Array }
  | { readonly type: 'loaded'; readonly name: string; readonly layers: readonly string[] }
  | { readonly type: 'error'; readonly message: string }
