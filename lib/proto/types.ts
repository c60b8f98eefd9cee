/**
 * The types of all messages of the schema, Caffe's and the forks': what a prototxt holds, with its fields in snake_case.
 *
 * @example
 * import type { ConvolutionParameter } from 'ristretto/schema'
 *
 * @module
 */
export type * from '../generated/caffe.js'
export type { SchemaTables } from './fields.js'
