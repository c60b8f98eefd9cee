/** A project in a folder whose jobs are processes, with a small dataset and a net that learns it in seconds. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RandomStream } from '../../../lib/rng.js'
import type { Job, JobEvent, ModelForm } from '../../../lib/studio/api/index.js'
import { parseEvents } from '../../../lib/studio/core/events.js'
import { prepare } from '../../../lib/studio/core/forms.js'
import { pathsOf } from '../../../lib/studio/core/job_files.js'
import { Project } from '../../../lib/studio/core/project.js'
import { nodeStore } from '../../../lib/studio/node/node_store.js'
import { ProcessRunner } from '../../../lib/studio/node/process_runner.js'

const SIDE = 8
/** 5 classes: a bright row each, in noise. */
export async function writeDigits(folder: string, count = 250): Promise<void> {
  const random = new RandomStream(7, 'digits')
  const pixels = new Uint8Array(count * SIDE * SIDE)
  const labels = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    labels[i] = i % 5
    for (let p = 0; p < SIDE * SIDE; p++)
      pixels[i * SIDE * SIDE + p] = random.integer(120) + (Math.floor(p / SIDE) === labels[i] + 1 ? 100 : 0)
  }
  const header = (...sizes: number[]) => {
    const bytes = new Uint8Array(4 + 4 * sizes.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 0x800 + sizes.length)
    sizes.forEach((size, k) => view.setUint32(4 + 4 * k, size))
    return bytes
  }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'train-images-idx3-ubyte'), Buffer.concat([header(count, SIDE, SIDE), pixels]))
  await writeFile(join(folder, 'train-labels-idx1-ubyte'), Buffer.concat([header(count), labels]))
}

export const NET = `name: "Small"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN } data_param { batch_size: 10 } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST } data_param { batch_size: 10 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
`

export const smallModel = (dataset: string, more: Partial<ModelForm> = {}): ModelForm => ({
  name: 'small',
  dataset,
  net: NET,
  epochs: 4,
  solver: { type: 'SGD', rate: 0.001, policy: { policy: 'fixed' } },
  threads: 1,
  ...more,
})

export async function openProject(root: string, studio: URL, trainings = 1): Promise<Project> {
  const store = nodeStore(join(root, 'project'))
  const program = new URL('node/job_process.js', studio)
  const runner = new ProcessRunner({ root: join(root, 'project'), store, program, data: [root], confined: true })
  return Project.open({ store, runner, prepare, trainings, cores: trainings, checkPath: async () => {}, poll: 10 })
}

/** Waits until a job has a state, without asking whether the machine is fast. */
export async function reached(project: Project, id: string, ...states: Job['state'][]): Promise<Job> {
  for (;;) {
    const job = await project.job(id)
    if (states.includes(job.state)) return job
    if (job.state === 'failed') throw new Error(`the job failed: ${job.error}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export async function makeDigits(root: string, project: Project): Promise<string> {
  await writeDigits(join(root, 'digits'))
  const [{ id }] = await project.create('dataset', {
    name: 'digits',
    source: { from: 'idx', place: { path: join(root, 'digits') } },
  })
  await reached(project, id, 'done')
  return id
}

export async function eventsOf(root: string, id: string): Promise<JobEvent[]> {
  const bytes = await nodeStore(join(root, 'project')).read(pathsOf(id).events)
  return parseEvents(bytes ?? new Uint8Array(0)).events
}
