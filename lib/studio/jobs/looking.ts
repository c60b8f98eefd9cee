import type { WithProject } from '../core/job_context.js'
import type { Looking } from '../core/looking.js'

type Methods = { readonly [M in keyof Looking]: WithProject<Looking[M]> }

const inspecting = () => import('./inspecting.js')
const items = () => import('./items.js')
const archive = () => import('../core/project_archive.js')

/** Where each method is; loaded when somebody asks for it. */
const places: { readonly [M in keyof Looking]: () => Promise<Methods[M]> } = {
  items: async () => (await items()).items,
  picture: async () => (await items()).picture,
  meanPicture: async () => (await items()).meanPicture,
  previewDataset: async () => (await import('./preview_dataset.js')).previewDataset,
  standardNet: async () => (await inspecting()).standardNet,
  inspect: async () => (await inspecting()).inspect,
  previewSolver: async () => (await inspecting()).previewSolver,
  async checkLayers() {
    const { checkLayerFiles } = await import('./check_layers.js')
    return (_, layers) => checkLayerFiles(layers)
  },
  testOne: async () => (await import('./test_one.js')).testOne,
  decoded: async () => (await import('./test_one.js')).decoded,
  evaluated: async () => (await import('./evaluated.js')).evaluated,
  async compare() {
    const { compareJobs } = await import('../core/compare.js')
    return ({ store }, ids) => compareJobs(store, ids)
  },
  archive: async () => (await import('./model_archive.js')).writeModel,
  async project() {
    const { writeProject } = await archive()
    return ({ store }, ids, to) => writeProject(store, ids, to)
  },
  async unpackProject() {
    const { unpackProject } = await archive()
    return ({ store }, zip) => unpackProject(store, zip)
  },
}

/** Everything that looks at jobs, nets and pictures; see Looking. */
export const looking = Object.fromEntries(
  Object.entries(places).map(([name, place]) => [
    name,
    async (...args: readonly never[]) => ((await place()) as (...args: readonly never[]) => unknown)(...args),
  ]),
) as unknown as Methods
