import type { ResizeMode } from '../../data/picture_fit.js'
import type { JobId, SetName } from './names.js'

/** What a person fills in, of each kind of job. Everything that is optional has the default that the comment names. */
export interface Forms {
  dataset: DatasetForm
  model: ModelForm
  evaluation: EvaluationForm
  pretrained: PretrainedForm
}

/** What jobs there are. */
export type JobKind = keyof Forms
/** The form of any of them. */
export type AnyForm = Forms[JobKind]

/** Where pictures come from. */
export type DatasetSource =
  /** A folder with a folder of pictures for each class, or with train and val folders of such. */
  | { readonly from: 'folder'; readonly place: Place }
  /** The same, or lists, in a zip. */
  | { readonly from: 'zip'; readonly place: Place }
  /** idx files of MNIST's names, packed or not. */
  | { readonly from: 'idx'; readonly place: Place }
  /** Lines of path and label. */
  | {
      readonly from: 'lists'
      readonly place: Place
      readonly train: string
      readonly val?: string
      readonly test?: string
      readonly labels?: string
    }
  /** LMDBs that are there already, by folders of their own. */
  | {
      readonly from: 'lmdb'
      readonly place: Place
      readonly train: string
      readonly val?: string
      readonly test?: string
      readonly labels?: string
    }

/** What was uploaded; or a path of the server's, under its data folders. */
export type Place = { readonly upload: string } | { readonly path: string }

/** A dataset: where its pictures come from, and what becomes of them. */
export interface DatasetForm {
  readonly name: string
  readonly group?: string
  readonly source: DatasetSource
  /** Default: as the source is for idx files, else false. */
  readonly gray?: boolean
  /** Left out: pictures must have one size. */
  readonly height?: number
  readonly width?: number
  /** Default squash. */
  readonly resize?: ResizeMode
  /** Shares 0 … 1; default 0.25 and 0. */
  readonly val?: number
  readonly test?: number
  /** Default 1. */
  readonly seed?: number
  /** Default: planes, unpacked. */
  readonly encode?: 'png' | 'jpg'
}

/** A number, or several: each makes a job of its own. */
export type Sweep = number | readonly number[]

/** How the rate goes with the iterations; shares are of the whole training. */
export type RateForm =
  | { readonly policy: 'fixed' }
  | { readonly policy: 'step'; readonly gamma: Sweep; readonly share: Sweep }
  | { readonly policy: 'multistep'; readonly gamma: Sweep; readonly shares: readonly number[] }
  | { readonly policy: 'exp'; readonly gamma: Sweep }
  | { readonly policy: 'inv'; readonly gamma: Sweep; readonly power: Sweep }
  | { readonly policy: 'poly'; readonly power: Sweep }
  | { readonly policy: 'sigmoid'; readonly gamma: Sweep; readonly share: Sweep }
  | { readonly policy: 'cosine' }
  | { readonly policy: 'plateau'; readonly gamma: Sweep; readonly tests: number }

/** A model: a net, the dataset that it learns from, and how. */
export interface ModelForm {
  readonly name: string
  readonly group?: string
  readonly dataset: JobId
  /** One description for all stages, as prototxt: its data layers need no source, the dataset's are put in. */
  readonly net: string
  /** Files of custom layers, TypeScript or JavaScript, by name. */
  readonly layers?: Readonly<Record<string, string>>
  /** Weights to begin with, by layer name: a model's snapshot (default its best), or a pretrained model. */
  readonly weights?: { readonly job: JobId; readonly iter?: number }
  readonly epochs: number
  /** Epochs between tests, and between snapshots; default 1, parts of an epoch too. */
  readonly testEvery?: number
  readonly snapshotEvery?: number
  /** How many of the newest snapshots stay, beside the best and starred ones; default 2. */
  readonly keep?: number
  /** The output of the test that decides which snapshot is best; default: the first accuracy, else the first loss. Of equal ones the lower loss decides. */
  readonly watch?: string
  /** Tests without a better value after which training ends; default: never. */
  readonly patience?: number
  /** Items of a pass; default: what the net says. */
  readonly batch?: Sweep
  /** Passes whose gradients make one update; default 1. */
  readonly accumulate?: number
  /** Default 1. */
  readonly seed?: Sweep
  readonly solver: {
    readonly type: 'SGD' | 'Nesterov' | 'AdaGrad' | 'RMSProp' | 'AdaDelta' | 'Adam'
    readonly rate: Sweep
    readonly policy: RateForm
    readonly momentum?: Sweep
    readonly momentum2?: number
    readonly delta?: number
    readonly decay?: Sweep
    readonly clip?: number
  }
  /** What is taken off the pictures: the mean picture, a value a channel, nothing. Default pixel. */
  readonly mean?: 'image' | 'pixel' | 'none'
  /** Side of the square that is cut from the pictures, at random in training; default: none. */
  readonly crop?: number
  /** Mirror half of the training's pictures; default false. */
  readonly mirror?: boolean
  /** Default wasm. */
  readonly engine?: 'wasm' | 'native' | 'gpu' | 'js'
  /** Default: cores ÷ trainings at once. */
  readonly threads?: number
}

/** An evaluation of a model. */
export interface EvaluationForm {
  readonly name?: string
  readonly model: JobId
  /** Default the best. */
  readonly iter?: number
  /** A set of the model's dataset (or of another of the same classes), or pictures with or without labels. */
  readonly on: { readonly set: SetName; readonly dataset?: JobId } | { readonly pictures: Place }
}

/** A model from elsewhere: an archive of ours or of DIGITS, or its parts. */
export interface PretrainedForm {
  readonly name: string
  readonly group?: string
  readonly source:
    | { readonly archive: Place }
    | { readonly net: string; readonly weights: Place; readonly labels?: string; readonly mean?: Place }
    | { readonly model: JobId; readonly iter?: number }
}
