/** Modules that the build makes: see scripts/studio_page/words.ts. */
declare module 'studio:words' {
  export const types: readonly string[]
}

declare module 'studio:docs' {
  /** The first sentence of each type's page. */
  export const layers: Readonly<Record<string, string>>
  /** What each field of each message does. */
  export const fields: Readonly<Record<string, Readonly<Record<string, string>>>>
}
