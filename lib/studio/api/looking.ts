import type { JobId, SetName } from './names.js'

/** What to look at of a text while it is typed, or before a model is made of it. */
export interface InspectRequest {
  readonly net: string
  /** The stage whose layers are shown. */
  readonly stage: 'train' | 'val' | 'deploy'
  /** The dataset whose shapes the data layers take. */
  readonly dataset?: JobId
  readonly layers?: Readonly<Record<string, string>>
  readonly crop?: number
  readonly batch?: number
}

/** Something about a text, at its place. */
export interface Mark {
  readonly severity: 'error' | 'warning' | 'hint'
  /** From 1; left out: about all of it. */
  readonly line?: number
  readonly column?: number
  readonly length?: number
  readonly layer?: string
  readonly message: string
  /** What may stand there instead. */
  readonly suggestion?: string
}

/** What was found in a text: marks, and the net of the stage as a graph. */
export interface Inspection {
  readonly marks: readonly Mark[]
  /** Left out where the net could not be built. */
  readonly graph?: NetGraph
  readonly totals?: { readonly params: number; readonly memory: number; readonly multiplyAdds: number }
}

/** A net as it is drawn: places are laid out already. */
export interface NetGraph {
  readonly width: number
  readonly height: number
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly {
    readonly from: string
    readonly to: string
    readonly blob: string
    readonly shape: readonly number[]
    readonly points: readonly (readonly [x: number, y: number])[]
  }[]
}

/** A layer of a graph, centred at (x, y). */
export interface GraphNode {
  readonly layer: string
  readonly type: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Of its message in the text, from 1. */
  readonly line?: number
  readonly bottoms: readonly { readonly blob: string; readonly shape: readonly number[] }[]
  readonly tops: readonly { readonly blob: string; readonly shape: readonly number[] }[]
  /** Every field of its params, set or by default, as prototxt writes it. */
  readonly fields: readonly { readonly field: string; readonly value: string; readonly set: boolean }[]
  readonly params: number
  /** Bytes of its tops. */
  readonly memory: number
  readonly multiplyAdds: number
}

/** Answer to a check of files of custom layers. */
export interface LayerReport {
  /** Errors of compiling, at their places. */
  readonly marks: readonly (Mark & { readonly file: string })[]
  readonly layers: readonly {
    readonly type: string
    readonly file: string
    /** Derivatives that were compared with differences. */
    readonly derivatives: number
    /**
     * - `passed`: all agree.
     * - `on purpose`: the class says that its gradient is not that of its forward pass (`gradient = 'on purpose'`), such as
     *   one that passes the gradient whole.
     * - `failed`: `message` says which differ, and by how much.
     * - `none`: it has no backward pass.
     */
    readonly verdict: 'passed' | 'on purpose' | 'failed' | 'none'
    readonly message: string
  }[]
}

/** What a form makes of a training: its length, its rates, its solver. */
export interface SolverPreview {
  readonly maxIter: number
  readonly testInterval: number
  /** At most 500 points. */
  readonly iters: readonly number[]
  readonly rates: readonly number[]
  /** The solver's prototxt. */
  readonly solver: string
}

/** What a model says about a picture. */
export interface Prediction {
  /** The classes by score, the best first, ten at most. */
  readonly classes: readonly { readonly label: number; readonly name: string; readonly score: number }[]
  /** Milliseconds of the forward pass. */
  readonly milliseconds: number
  /** What every layer did, where it was asked for. */
  readonly rows?: readonly LayerRow[]
}

/** A top of a layer, or one of its weights, in numbers and as a grey picture. */
export interface LayerRow {
  readonly layer: string
  readonly type: string
  readonly blob: string
  readonly kind: 'activation' | 'weights'
  /** Of the layer's forward pass, with the first of its tops. */
  readonly milliseconds?: number
  readonly shape: readonly number[]
  readonly count: number
  /** Of the values that are finite numbers; 0 where none is. */
  readonly mean: number
  readonly std: number
  readonly min: number
  readonly max: number
  readonly notFinite: number
  /** 20 bins from min to max. */
  readonly histogram: readonly number[]
  readonly picture?: {
    readonly width: number
    readonly height: number
    readonly channels: 1 | 3
    /** Planes in a row and below each other, one pixel apart. */
    readonly columns: number
    readonly rows: number
    readonly plane: { readonly width: number; readonly height: number; readonly count: number }
    /** One byte a pixel and channel, row by row. */
    readonly pixels: Uint8Array
  }
  /** Why there is none. */
  readonly reason?: string
}

/** What is asked about a picture. */
export interface TestOneRequest {
  /** A file of a picture; or, as a pad draws them, one byte a pixel and channel: row by row, R G B of a pixel side by side. */
  readonly picture:
    | { readonly file: Uint8Array; readonly label?: number }
    | { readonly width: number; readonly height: number; readonly channels: 1 | 3; readonly pixels: Uint8Array }
    | { readonly dataset: JobId; readonly set: SetName; readonly item: number }
  /** Default the best. */
  readonly iter?: number
  /** Default false. */
  readonly details?: boolean
  /** Weights among the details, too; default true. */
  readonly weights?: boolean
  /** Whose layers run; default deploy. */
  readonly stage?: 'train' | 'val' | 'deploy'
}

/** A page of the pictures of a set. */
export interface ItemQuery {
  readonly set: SetName
  /** Only of this class. */
  readonly label?: number
  /** From 0; default 0. */
  readonly page?: number
  /** Default 50. */
  readonly perPage?: number
}

/** Some of the pictures of a set, of how many. */
export interface ItemPage {
  readonly total: number
  readonly items: readonly DatasetItem[]
}

/** A picture of a set. */
export interface DatasetItem {
  readonly set: SetName
  readonly item: number
  readonly name: string
  readonly label: number
}

/** Items of an evaluation. */
export interface EvaluatedQuery {
  /** hardest: by loss, the worst first. Default as stored. */
  readonly order?: 'stored' | 'hardest' | 'surest'
  readonly label?: number
  readonly prediction?: number
  /** Only those that were taken for another class. */
  readonly wrong?: boolean
  readonly page?: number
  readonly perPage?: number
}

/** Some of the items of an evaluation, of how many. */
export interface EvaluatedPage {
  readonly total: number
  readonly items: readonly {
    readonly item: number
    readonly name: string
    /** Where its picture is, if it is of a dataset. */
    readonly picture?: { readonly dataset: JobId; readonly set: SetName; readonly item: number }
    readonly label?: number
    readonly prediction: number
    readonly probability: number
    readonly loss?: number
  }[]
}

/** Which part of the curves, and how finely: a series is thinned so that no smallest or largest value is lost. */
export interface MetricsQuery {
  readonly from?: number
  readonly to?: number
  /** Points a series at most; default 1000. */
  readonly points?: number
}

/** The curves of a training. */
export interface Metrics {
  /** By name: `loss`, `lr`, `train accuracy`, `val accuracy`, `val loss`. */
  readonly series: Readonly<Record<string, { readonly iters: readonly number[]; readonly values: readonly number[] }>>
  /** Points that there are in all, before thinning. */
  readonly total: number
  readonly iterationsPerEpoch: number
  /** When the iterations of `loss` happened: seconds of work. */
  readonly seconds: readonly number[]
}

/** What jobs have and have not in common. */
export interface Comparison {
  readonly jobs: readonly JobId[]
  /** Settings in which they differ: path of the form, and a value each. */
  readonly differing: readonly { readonly path: string; readonly values: readonly string[] }[]
  /**
   * What makes each other net of the first, for those that differ: `-` before lines that went, `+` before those that came, a space
   * before what stands in both, `…` for lines that are left out.
   */
  readonly nets: readonly { readonly job: JobId; readonly text: string }[]
}
