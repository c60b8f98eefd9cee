// Every kernel of the js engine.
export * from './common.js'
export * from './late.js'
