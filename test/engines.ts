/** The host engines that every golden case runs on. */
export const hostEngines: readonly string[] = process.env.RISTRETTO_ENGINES?.split(',') ?? ['js', 'wasm']
