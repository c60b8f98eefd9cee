/**
 * What a kernel that fuses does to its result while it has it in hand, in the bits that the kernel of that name would
 * give: relu with that slope, clip with [low, high], or hardSwish with [α, β].
 */
export type After =
  | { readonly relu: number }
  | { readonly clip: readonly [low: number, high: number] }
  | { readonly hardSwish: readonly [alpha: number, beta: number] }

/** Kernels that an `after` stands for. */
export type AfterKind = 'relu' | 'clip' | 'hardSwish'
