import { defineConfig } from 'vitest/config'

/**
 * Rooms whose tests ask for numbers and rules and leave nothing behind: their files share a process, and what they import
 * is loaded once.
 */
const numbers = [
  'test/*.test.ts',
  'test/{kernels,layers,net,onnx,plot,proto,pycaffe,solver,testing}/**/*.test.ts',
  // disks that are full have a process of their own
  'test/system/**/!(no_room).test.ts',
]
/**
 * What is not quick, but leaves nothing behind: files share a process here, too. Those that stand in for modules, register
 * engines, measure their own process or see what it does for the first time have one each.
 */
const files = [
  'test/{crash,data,fuzz,group,models,scripts,studio,tools,walkthroughs}/**/*.test.ts',
  // the compiler of TypeScript stays as large as it was
  'test/docs/!(embedding_reference).test.ts',
  'test/cli/!(data_tools|docs|gpu_flag|tools).test.ts',
  'test/engines/gpu.!(layer|run|shader_text).test.ts',
  'test/engines/native?(.!(pays)).test.ts',
]
/** What takes long in those rooms, and what so long that only .ci/run has the time. */
const tails = ['test/**/*.long.test.ts']
const ci = ['test/**/*.ci.test.ts']
/** For projects whose files share a process, in addition to what every file has. */
const shared = { isolate: false, setupFiles: [new URL('test/shared_process.ts', import.meta.url).pathname] }

/** .ci/run has runs of its own for each BLAS library. */
const apart = process.env.RISTRETTO_BLAS_APART ? ['test/engines/native.test.ts'] : []

/** Checks of layers that are written down, for scripts/coverage.ts. */
const noting = {
  find: /^(\.\.\/)+lib\/testing\.js$/,
  replacement: new URL('scripts/layer_coverage/testing.ts', import.meta.url).pathname,
}

export default defineConfig({
  // examples import the package by its name
  resolve: {
    alias: [
      { find: /^ristretto$/, replacement: new URL('lib/index.ts', import.meta.url).pathname },
      { find: /^ristretto\/testing$/, replacement: new URL('lib/testing.ts', import.meta.url).pathname },
      {
        find: /^ristretto\/(pycaffe|studio|tools)$/,
        replacement: new URL('lib/$1/index.ts', import.meta.url).pathname,
      },
      ...(process.env.RISTRETTO_COVERAGE ? [noting] : []),
    ],
  },
  test: {
    // long enough for a busy machine: no test is about time
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: [new URL('test/setup.ts', import.meta.url).pathname],
    pool: 'forks',
    maxWorkers: 2,
    // what has not changed is not transformed again: half of what a single test file takes
    experimental: { fsModuleCache: true, fsModuleCachePath: new URL('.cache/vitest', import.meta.url).pathname },
    // npm run test:quick leaves out the first, npm test the second
    tags: [
      { name: 'long', description: 'takes 60 ms and more: the long tail of a file that is quick otherwise' },
      { name: 'ci', description: 'so long that only .ci/run has the time' },
    ],
    // npm run test:quick is the first, npm test all but the last
    projects: [
      {
        extends: true,
        test: { name: 'numbers', include: numbers, exclude: [...tails, ...ci], ...shared },
      },
      { extends: true, test: { name: 'tails', include: tails, ...shared } },
      { extends: true, test: { name: 'files', include: files, exclude: [...apart, ...tails, ...ci], ...shared } },
      {
        extends: true,
        test: {
          name: 'programs',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**', ...files, ...numbers, ...tails, ...ci],
        },
      },
      { extends: true, test: { name: 'ci', include: ci } },
    ],
  },
})
