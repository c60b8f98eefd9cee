/**
 * C ← α·op(A)·op(B) + β·C by the system's BLAS, which the native engine gives; row-major, leading dimensions in values.
 */
@external('engine', 'sgemm')
export declare function sgemm(
  transA: bool,
  transB: bool,
  M: i32,
  N: i32,
  K: i32,
  alpha: f32,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  beta: f32,
  c: usize,
  ldc: i32,
): void
