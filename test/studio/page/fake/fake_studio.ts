/**
 * A Studio in memory, for the page's own tests: jobs as a week of work leaves them, a training that goes on by a timer,
 * answers that look as the real ones do. What it is told to refuse it refuses.
 */
import {
  type Comparison,
  type DatasetForm,
  type EvaluatedPage,
  type EvaluatedQuery,
  type Forms,
  type InspectRequest,
  type ItemPage,
  type ItemQuery,
  type Job,
  type JobEvent,
  type JobId,
  type JobKind,
  type JobMeta,
  type JobQuery,
  type JobSummary,
  type Metrics,
  type MetricsQuery,
  type ModelForm,
  type Prediction,
  type SetName,
  type SolverPreview,
  type Studio,
  StudioError,
  type StudioEvent,
  type StudioInfo,
  type TestOneRequest,
} from '../../../../lib/studio/api/index.js'
import { confusion, EPOCHS, model, PER_EPOCH, summary, week } from './jobs.js'
import { checkLayers, inspect, lenet } from './nets.js'
import { digitPixels, digitPng, meanPng, random } from './pictures.js'
import { layerRows } from './rows.js'

export interface FakeOptions {
  /** Begin with no job at all. */
  readonly empty?: boolean
  /** Further models in the list. */
  readonly more?: number
  /** Every request fails. */
  readonly broken?: boolean
  /** No request is ever answered. */
  readonly silent?: boolean
  /** Time stands still: nothing happens by itself. */
  readonly still?: boolean
}

const BEAT = 500

/** What a JobEvent is before it has its number and time; over each kind of its own. */
type Happening<E = JobEvent> = E extends JobEvent ? Omit<E, 'seq' | 't'> : never

export class FakeStudio implements Studio {
  private readonly store = new Map<JobId, Job>()
  private readonly trash = new Map<JobId, Job>()
  private readonly listeners = new Set<(event: StudioEvent) => void>()
  private events = 0
  private sequence = 0
  private paused = false
  private made = 0

  constructor(private readonly options: FakeOptions = {}) {
    if (!options.empty) for (const job of week()) this.store.set(job.id, job)
    for (let at = 0; at < (options.more ?? 0); at++) {
      const id = `20261101-0000-${String(at).padStart(4, '0')}`
      this.store.set(id, model(id, `Sweep ${at}`, { created: 1_793_500_000_000 - at * 1000, group: `sweep ${at % 7}` }))
    }
    if (!options.still) setInterval(() => this.beat(), BEAT)
  }

  async info(): Promise<StudioInfo> {
    await this.ready()
    return {
      version: '0.1.0',
      mode: 'server',
      project: 'digits',
      engines: ['wasm', 'native', 'js'],
      cores: 8,
      threads: true,
      trainings: 1,
      paused: this.paused,
      paths: true,
      standardNets: [
        { name: 'lenet', title: 'LeNet', note: '431 thousand params, for grey pictures of 28 × 28' },
        { name: 'alexnet', title: 'AlexNet', note: '61 million params, for colour pictures of 227 × 227' },
        { name: 'squeezenet', title: 'SqueezeNet', note: '1.2 million params, as good as AlexNet' },
        { name: 'googlenet', title: 'GoogLeNet', note: '7 million params and three outputs' },
      ],
      space: { used: 1_200_000_000, free: 82_000_000_000 },
      limits: { upload: 4 * 2 ** 30, pixels: 1e8 },
    }
  }

  async jobs(_query?: JobQuery): Promise<JobSummary[]> {
    await this.ready()
    return [...this.store.values()].map(summary)
  }

  async job(id: JobId): Promise<Job> {
    await this.ready()
    const job = this.find(id)
    const children = [...this.store.values()].filter(
      other => other.parents.dataset === id || other.parents.model === id,
    )
    return { ...job, children: children.map(summary) }
  }

  async create<K extends JobKind>(kind: K, form: Forms[K]): Promise<JobSummary[]> {
    await this.ready()
    const name = 'name' in form && form.name ? form.name : 'Evaluation'
    if (name === 'refused')
      throw new StudioError('this form is not right', 422, [{ path: 'name', message: 'another job has this name' }])
    const id = (): string => `20261129-1000-n${String(++this.made).padStart(3, '0')}`
    if (kind === 'model') {
      const asked = form as ModelForm
      const rates = [asked.solver.rate].flat()
      return rates.map(rate =>
        this.add(
          model(id(), rates.length > 1 ? `${name}, rate ${rate}` : name, {
            state: 'running',
            epoch: 0,
            progress: 0,
            seconds: 0,
            attempt: 1,
            loss: undefined,
            outputs: undefined,
            created: Date.now(),
            group: asked.group ?? '',
            rate,
          }),
        ),
      )
    }
    const like = [...this.store.values(), ...week()].find(job => job.kind === kind)!
    return [
      this.add({
        ...like,
        id: id(),
        name,
        form,
        created: Date.now(),
        state: 'running',
        progress: 0,
        result: undefined,
        seconds: 0,
      }),
    ]
  }

  async change(id: JobId, meta: Partial<JobMeta>): Promise<JobSummary> {
    return summary(this.put({ ...this.find(id), ...meta }))
  }

  async remove(id: JobId): Promise<void> {
    const job = this.find(id)
    const dependants = [...this.store.values()].filter(other => other.parents.dataset === id)
    if (dependants.length)
      throw new StudioError(`${job.name} stays: ${dependants.map(({ name }) => name).join(', ')} are made from it`, 409)
    this.trash.set(id, job)
    this.store.delete(id)
    this.tell({ kind: 'removed', job: id })
  }

  async restore(id: JobId): Promise<JobSummary> {
    return this.add(this.trash.get(id)!)
  }

  async stop(id: JobId): Promise<void> {
    this.put({ ...this.find(id), state: 'stopped' })
  }

  async resume(id: JobId): Promise<void> {
    const job = this.find(id)
    this.put({ ...job, state: 'running', attempt: job.attempt + 1, error: undefined })
  }

  async snapshot(): Promise<void> {}

  async star(id: JobId, iter: number, starred: boolean): Promise<void> {
    const job = this.find(id)
    this.put({ ...job, snapshots: job.snapshots.map(one => (one.iter === iter ? { ...one, starred } : one)) })
  }

  async clone(id: JobId): Promise<{ kind: JobKind; form: Forms[JobKind] }> {
    const { kind, form } = this.find(id)
    return { kind, form }
  }

  async order(): Promise<void> {}

  async pause(paused: boolean): Promise<void> {
    this.paused = paused
  }

  async trust(sha256: readonly string[]): Promise<void> {
    for (const job of this.store.values())
      if (job.untrusted?.some(file => sha256.includes(file.sha256))) this.put({ ...job, untrusted: undefined })
  }

  async metrics(id: JobId, query: MetricsQuery = {}): Promise<Metrics> {
    await this.ready()
    const job = this.find(id)
    const last = job.iter ?? 0
    const rate = (job.form as ModelForm).solver.rate as number
    const pace = rate / 0.01
    const seed = job.created % 1000
    const step = Math.max(1, Math.ceil(last / (query.points ?? 1000)))
    const iters = Array.from({ length: Math.floor(last / step) }, (_, at) => (at + 1) * step).filter(
      iter => iter >= (query.from ?? 0) && iter <= (query.to ?? Number.POSITIVE_INFINITY),
    )
    const tests = Array.from({ length: Math.floor(last / PER_EPOCH) }, (_, at) => (at + 1) * PER_EPOCH)
    const loss = (iter: number): number => 0.02 + 2.28 * Math.exp((-iter * pace ** 0.5) / 420)
    return {
      series: {
        loss: {
          iters,
          values: iters.map(iter => loss(iter) * (0.7 + 0.6 * random(iter + seed)) + 0.03 * random(iter * 3 + seed)),
        },
        lr: { iters, values: iters.map(iter => rateAt(iter, rate)) },
        'val loss': { iters: tests, values: tests.map(iter => loss(iter) + 0.02 + 0.008 * random(iter + seed)) },
        'val accuracy': {
          iters: tests,
          values: tests.map(
            iter => 0.9915 - 0.16 * Math.exp((-iter * pace ** 0.5) / 700) - 0.003 * random(iter + seed),
          ),
        },
      },
      total: last,
      iterationsPerEpoch: PER_EPOCH,
      seconds: iters.map(iter => iter / 110),
    }
  }

  async log(id: JobId, after = 0): Promise<{ lines: string[]; next: number }> {
    const iter = this.find(id).iter ?? 0
    const all = Array.from({ length: Math.floor(iter / 100) }, (_, at) => {
      const seconds = String(at % 60).padStart(2, '0')
      return `I1129 09:${String(4 + Math.floor(at / 60)).padStart(2, '0')}:${seconds}.412000 4711 solver.cpp:239] Iteration ${at * 100}, loss = ${(2.3 * Math.exp(-at / 4) + 0.02).toPrecision(6)}`
    })
    return { lines: all.slice(after), next: all.length }
  }

  async files(): Promise<{ path: string; bytes: number }[]> {
    return [
      { path: 'net.prototxt', bytes: lenet.length },
      { path: 'solver.prototxt', bytes: 311 },
      { path: 'layers/blank_square.ts', bytes: 902 },
      { path: 'log.txt', bytes: 48_113 },
      { path: 'snapshots/iter_6336.caffemodel', bytes: 1_724_860 },
      { path: 'snapshots/iter_6336.solverstate', bytes: 1_724_012 },
    ]
  }

  async address(_id: JobId, path: string): Promise<string> {
    return URL.createObjectURL(new Blob([path]))
  }

  async text(_id: JobId, path: string): Promise<string> {
    if (path.endsWith('.ts'))
      return "import { Layer } from 'ristretto'\n\nexport class SwirlLayer extends Layer {\n  forward() {}\n}\n"
    return path === 'net.prototxt' ? lenet : `# ${path}\nbase_lr: 0.01\n`
  }

  listen(listener: (event: StudioEvent) => void, { signal }: { signal: AbortSignal }): void {
    this.listeners.add(listener)
    signal.addEventListener('abort', () => this.listeners.delete(listener))
  }

  async upload(
    files: readonly { readonly path: string; readonly file: Blob }[],
    options: { onProgress?: (bytes: number, total: number) => void } = {},
  ): Promise<string> {
    const total = files.reduce((sum, { file }) => sum + file.size, 0)
    for (let part = 1; part <= 4; part++) {
      await new Promise(resolve => setTimeout(resolve, 30))
      options.onProgress?.((total * part) / 4, total)
    }
    return `upload-${files.length}`
  }

  async paths(prefix: string): Promise<{ path: string; folder: boolean }[]> {
    return ['flowers', 'mnist', 'mnist/train-images-idx3-ubyte.gz']
      .filter(path => path.startsWith(prefix))
      .map(path => ({ path, folder: !path.includes('.') }))
  }

  async items(_dataset: JobId, query: ItemQuery): Promise<ItemPage> {
    await this.ready()
    const { page = 0, perPage = 50, label, set } = query
    const total = label === undefined ? (set === 'val' ? 15_000 : 45_000) : set === 'val' ? 1566 : 4699
    const count = Math.max(0, Math.min(perPage, total - page * perPage))
    return {
      total,
      items: Array.from({ length: count }, (_, at) => {
        const number = page * perPage + at
        const item = label === undefined ? number : number * 10 + label
        return { set, item, name: `${String(item).padStart(8, '0')}`, label: item % 10 }
      }),
    }
  }

  picture(_dataset: JobId, _set: SetName, item: number): Promise<Blob> {
    return digitPng(item % 10, item)
  }

  meanPicture(): Promise<Blob> {
    return meanPng()
  }

  async previewDataset(form: DatasetForm) {
    await this.ready()
    if (form.source.from === 'lists')
      throw new StudioError('line 3 of train.txt names digits/3/x.png, which is not there', 422)
    return {
      pictures: 60_000,
      classes: Array.from({ length: 10 }, (_, label) => String(label)),
      examples: await Promise.all(
        [3, 7, 1, 9, 4, 0].map(async label => ({
          name: `${label}.png`,
          before: await digitPng(label, label),
          after: await digitPng(label, label),
        })),
      ),
      skipped: [{ file: 'notes.txt', reason: 'is no picture' }],
    }
  }

  async standardNet(): Promise<{ net: string; form: Partial<ModelForm> }> {
    await this.ready()
    return { net: lenet, form: { epochs: 10, batch: 64 } }
  }

  async inspect(request: InspectRequest) {
    await this.ready()
    return inspect(request)
  }

  async previewSolver(form: ModelForm): Promise<SolverPreview> {
    const maxIter = form.epochs * PER_EPOCH
    const rate = [form.solver.rate].flat()[0]
    const iters = Array.from({ length: 200 }, (_, at) => Math.round((at * maxIter) / 200))
    return {
      maxIter,
      testInterval: PER_EPOCH,
      iters,
      rates: iters.map(iter => rateAt(iter, rate)),
      solver: `net: "net.prototxt"\nbase_lr: ${rate}\nlr_policy: "step"\ngamma: 0.1\nstepsize: ${Math.round(maxIter / 3)}\nmomentum: 0.9\nmax_iter: ${maxIter}\n`,
    }
  }

  async checkLayers(layers: Readonly<Record<string, string>>) {
    await this.ready()
    return checkLayers(layers)
  }

  async testOne(_model: JobId, request: TestOneRequest): Promise<Prediction> {
    await this.ready()
    const { picture } = request
    const item = 'item' in picture ? picture.item : 7
    const pixels = 'pixels' in picture ? picture.pixels : digitPixels(item % 10, item)
    const scores = Array.from({ length: 10 }, (_, label) =>
      label === item % 10 ? 0.9921 : 0.0078 * random(label + item) * 0.2,
    )
    return {
      classes: scores.map((score, label) => ({ label, name: String(label), score })).sort((a, b) => b.score - a.score),
      milliseconds: 1.31,
      rows: request.details ? layerRows(pixels, scores) : undefined,
    }
  }

  async evaluated(_evaluation: JobId, query: EvaluatedQuery = {}): Promise<EvaluatedPage> {
    await this.ready()
    const matrix = confusion()
    const items: EvaluatedPage['items'][number][] = []
    for (const [label, row] of matrix.entries())
      for (const [prediction, count] of row.entries()) {
        if (query.label !== undefined && query.label !== label) continue
        if (query.prediction !== undefined && query.prediction !== prediction) continue
        if (query.wrong && label === prediction) continue
        for (let at = 0; at < count; at++) {
          const item = at * 10 + label
          const probability = label === prediction ? 1 - 0.01 * random(item) : 0.5 + 0.45 * random(item)
          items.push({
            item,
            name: String(item).padStart(8, '0'),
            picture: { dataset: '20261128-1012-mn1s', set: 'val', item },
            label,
            prediction,
            probability,
            loss: label === prediction ? -Math.log(probability) : -Math.log(1 - probability),
          })
        }
      }
    if (query.order === 'hardest') items.sort((a, b) => b.loss! - a.loss!)
    if (query.order === 'surest') items.sort((a, b) => b.probability - a.probability)
    const { page = 0, perPage = 50 } = query
    return { total: items.length, items: items.slice(page * perPage, (page + 1) * perPage) }
  }

  async archive(): Promise<string> {
    return URL.createObjectURL(new Blob(['zip']))
  }

  async project(): Promise<string> {
    return URL.createObjectURL(new Blob(['zip']))
  }

  async importProject(): Promise<JobSummary[]> {
    return [this.add(model('20261101-1200-imp0', 'Brought along', {}))]
  }

  async compare(ids: readonly JobId[]): Promise<Comparison> {
    await this.ready()
    const forms = ids.map(id => this.find(id).form as ModelForm)
    return {
      jobs: ids,
      differing: [{ path: 'solver.rate', values: forms.map(form => String(form.solver.rate)) }],
      nets: ids.slice(1).map(job => ({
        job,
        text: ' layer {\n   name: "scale"\n-  top: "scale"\n+  top: "scaled"\n }\n+layer {\n+  name: "blank"\n+  type: "Python"\n+}\n',
      })),
    }
  }

  /** Half a second of work of every running job. */
  private beat(): void {
    for (const job of this.store.values()) {
      if (job.state !== 'running') continue
      if (job.kind !== 'model') this.advance(job)
      else this.train(job)
    }
  }

  private advance(job: Job): void {
    const progress = Math.min(1, job.progress + 0.25)
    const result = week().find(other => other.kind === job.kind)?.result
    this.happen(job.id, { kind: 'progress', done: progress * 60_000, total: 60_000, text: 'pictures' })
    this.put({ ...job, progress, seconds: job.seconds + 0.5, ...(progress === 1 ? { state: 'done', result } : {}) })
  }

  private train(job: Job): void {
    const iter = Math.min(EPOCHS * PER_EPOCH, (job.iter ?? 0) + 60)
    const epoch = iter / PER_EPOCH
    for (let at = (job.iter ?? 0) + 20; at <= iter; at += 20)
      this.happen(job.id, {
        kind: 'train',
        iter: at,
        lr: rateAt(at, 0.01),
        loss: 0.02 + 2.28 * Math.exp(-at / 420) + 0.02 * random(at),
        iterationsPerSecond: 118,
      })
    const tested = Math.floor(epoch) > Math.floor((job.iter ?? 0) / PER_EPOCH)
    if (tested)
      this.happen(job.id, {
        kind: 'test',
        iter: Math.floor(epoch) * PER_EPOCH,
        outputs: { accuracy: 0.9915 - 0.16 * Math.exp(-iter / 700), loss: 0.04 },
      })
    const done = iter >= EPOCHS * PER_EPOCH
    this.put({
      ...job,
      iter,
      epoch,
      progress: epoch / EPOCHS,
      loss: 0.02 + 2.28 * Math.exp(-iter / 420),
      seconds: job.seconds + 0.5,
      eta: (EPOCHS - epoch) * 6,
      ...(done ? { state: 'done', eta: undefined } : {}),
    })
  }

  private add(job: Job): JobSummary {
    return summary(this.put(job))
  }

  private put(job: Job): Job {
    this.store.set(job.id, job)
    this.tell({ kind: 'job', job: summary(job) })
    return job
  }

  private happen(job: JobId, event: Happening): void {
    this.tell({ kind: 'event', job, event: { ...event, seq: ++this.sequence, t: Date.now() } as JobEvent })
  }

  private tell(
    event:
      | { kind: 'job'; job: JobSummary }
      | { kind: 'removed'; job: JobId }
      | { kind: 'event'; job: JobId; event: JobEvent },
  ): void {
    const told = { id: ++this.events, ...event } as StudioEvent
    for (const listener of this.listeners) listener(told)
  }

  private find(id: JobId): Job {
    const job = this.store.get(id)
    if (!job) throw new StudioError(`there is no job ${id}`, 404)
    return job
  }

  private async ready(): Promise<void> {
    if (this.options.broken) throw new StudioError('the server does not answer: is it running?', 503)
    if (this.options.silent) await new Promise(() => {})
  }
}

/** A third of the training at each rate. */
const rateAt = (iter: number, rate: number): number => rate * 0.1 ** Math.floor(iter / ((EPOCHS * PER_EPOCH) / 3 + 1))
