import type { FieldInfo } from './fields.js'

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
export const GROUP = 3
export const GROUP_END = 4
export const FIXED32 = 5

/** How a field's values are written. */
export function wireType(field: FieldInfo): number {
  if (field.type === 'float') return FIXED32
  if (field.type === 'double') return FIXED64
  return field.type === 'string' || field.type === 'bytes' || field.type === 'message' ? LENGTH : VARINT
}
