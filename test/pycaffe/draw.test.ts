import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { NetParameter } from '../../lib/generated/caffe.js'
import { parseNet } from '../../lib/proto/text.js'
import { type DrawOptions, drawNet, drawNetToFile } from '../../lib/pycaffe/draw.js'
import { goldenPath } from '../golden.js'

const lenet = parseNet(readFileSync('docs/examples/mnist/lenet_train_test.prototxt', 'utf8'))
const prototxt = (name: string) => parseNet(readFileSync(goldenPath(`nets/prototxt/${name}.prototxt`), 'utf8'))

/** Elements of an SVG in the order of their ends; throws where tags do not match. */
function elements(svg: string): string[] {
  const open: string[] = []
  const found: string[] = []
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?:\s+[a-zA-Z-]+(?::[a-z]+)?="[^"<]*")*)\s*(\/?)>/g,
    (_, close, name, __, empty) => {
      if (close) expect(open.pop()).toBe(name)
      else if (!empty) open.push(name)
      if (!close) found.push(name)
      return ''
    },
  )
  expect(open).toEqual([])
  expect(rest).not.toMatch(/[<>]/)
  expect(rest).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/)
  return found
}

/** All texts of the picture. */
const texts = (svg: string) => [...svg.matchAll(/<(?:tspan|text)[^>]*>([^<]+)</g)].map(match => match[1])

/** Rectangles of the boxes. */
const boxes = (svg: string) =>
  [...svg.matchAll(/<rect x="([-\d.]+)" y="([-\d.]+)" width="([-\d.]+)" height="([-\d.]+)"/g)].map(match =>
    match.slice(1).map(Number),
  )

describe('drawNet as SVG', () => {
  test('shows layers, blobs, sizes and numbers of outputs, in Caffe’s colours', { tags: 'long' }, () => {
    const svg = drawNet(lenet)
    elements(svg)
    const shown = texts(svg)
    for (const text of [
      'LeNet',
      'conv1',
      '(Convolution)',
      'kernel size: 5',
      'stride: 1',
      'pad: 0',
      '(Pooling MAX)',
      '20',
      '500',
      'Batch 64',
      'Batch 100',
    ])
      expect(shown).toContain(text)
    for (const colour of ['#FF5050', '#FF9900', '#CC33FF', '#90EE90', '#6495ED', '#E0E0E0'])
      expect(svg).toContain(`fill="${colour}"`)
    expect(shown.some(text => text.startsWith('lr mult'))).toBe(false)
  })

  test('phase picks the layers; displayLrm and labelEdges change what is written', () => {
    const shown = texts(drawNet(lenet, { phase: 'TRAIN', displayLrm: true, labelEdges: false }))
    expect(shown).toContain('lr mult: 1.0, 2.0')
    expect(shown).not.toContain('accuracy')
    expect(shown).not.toContain('Batch 64')
    const test = texts(drawNet(lenet, { phase: 'TEST' }))
    expect(test).toContain('accuracy')
    expect(test).toContain('Batch 100')
    expect(test).not.toContain('Batch 64')
  })

  test.each<[DrawOptions['rankdir'], (x: number[], y: number[]) => void]>([
    ['LR', (a, b) => expect(a[0] + a[2]).toBeLessThan(b[0])],
    ['RL', (a, b) => expect(b[0] + b[2]).toBeLessThan(a[0])],
    ['TB', (a, b) => expect(a[1] + a[3]).toBeLessThan(b[1])],
    ['BT', (a, b) => expect(b[1] + b[3]).toBeLessThan(a[1])],
  ])('flows %s, nothing lies on anything else, all lies inside the picture', { tags: 'long' }, (rankdir, inOrder) => {
    const svg = drawNet(prototxt('inception'), { rankdir })
    elements(svg)
    const [width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number)
    const all = boxes(svg)
    for (const [i, [x, y, w, h]] of all.entries()) {
      expect(x >= 0 && y >= 0 && x + w <= width && y + h <= height).toBe(true)
      for (const [x2, y2, w2, h2] of all.slice(i + 1))
        expect(x < x2 + w2 && x2 < x + w && y < y2 + h2 && y2 < y + h, `${[x, y, w, h]} on ${[x2, y2, w2, h2]}`).toBe(
          false,
        )
    }
    const box = (name: string) => {
      const place = svg.indexOf(`<title>${name} `)
      return boxes(svg.slice(place))[0]
    }
    inOrder(box('stem'), box('a_out'))
    inOrder(box('a_1x1'), box('a_relu_1x1'))
    inOrder(box('a_relu_1x1'), box('a_out'))
  })

  test('can be drawn by a picture program', { tags: 'long' }, async () => {
    const { data, info } = await sharp(Buffer.from(drawNet(lenet, { rankdir: 'TB' })))
      .raw()
      .toBuffer({ resolveWithObject: true })
    const colours = new Set<string>()
    for (let i = 0; i < data.length; i += info.channels)
      colours.add([...data.subarray(i, i + 3)].map(v => v.toString(16).padStart(2, '0')).join(''))
    for (const colour of ['ff5050', 'ff9900', 'cc33ff', '90ee90', '6495ed', 'e0e0e0', 'ffffff'])
      expect(colours).toContain(colour)
  })

  test('names are text, whatever is in them', () => {
    const nasty = `<script>alert("1 & 'x'")</script>\u0000\ud800]]>`
    const net: NetParameter = {
      name: nasty,
      layer: [
        { name: nasty, type: nasty, top: [nasty, '__proto__'] },
        { name: 'x'.repeat(500), type: 'ReLU', bottom: [nasty], top: [nasty] },
        { name: '', type: '', bottom: ['__proto__'] },
      ],
    }
    const svg = drawNet(net)
    expect(elements(svg)).not.toContain('script')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must be gone
    expect(svg).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/)
    expect(svg).toContain(`${'x'.repeat(59)}…`)
  })

  test('nets of any form: none, old, with circles, deep', { tags: 'long' }, () => {
    expect(elements(drawNet({}))).toEqual(['svg', 'title', 'defs', 'marker', 'path', 'rect', 'g'])
    expect(texts(drawNet(prototxt('v1')))).toContain('(Convolution)')
    expect(texts(drawNet(prototxt('v0')))).toContain('(Convolution)')
    elements(
      drawNet({
        layer: [
          { name: 'a', type: 'X', bottom: ['p', 'q'], top: ['q', 'p'] },
          { name: 'b', type: 'X', bottom: ['p'], top: ['r', 'r'] },
        ],
      }),
    )
    const deep: NetParameter = {
      layer: Array.from({ length: 150 }, (_, i) => ({
        name: `l${i}`,
        type: 'Power',
        bottom: i ? [`b${i - 1}`] : [],
        top: [`b${i}`],
      })),
    }
    expect(boxes(drawNet(deep))).toHaveLength(150)
  })

  test('sizes that differ along the axes, dilation, groups, global pooling', () => {
    const net = parseNet(`
      layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 2 kernel_size: [3, 5] pad_h: 1 stride: 2 dilation: 2 group: 2 } }
      layer { name: "p" type: "Pooling" bottom: "y" top: "z" pooling_param { pool: AVE global_pooling: true } }
      layer { name: "l" type: "LSTM" bottom: "z" top: "w" recurrent_param { num_output: 7 } }`)
    const shown = texts(drawNet(net))
    for (const text of [
      'kernel size: 3×5',
      'pad: 1×0',
      'stride: 2',
      'dilation: 2',
      'group: 2',
      '(Pooling AVE)',
      'global',
      '7',
    ])
      expect(shown).toContain(text)
  })
})

describe('drawNet as text', () => {
  const small = parseNet(`
    name: "a \\"net\\""
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 3 } }
    layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }`)

  test('DOT', () => {
    expect(drawNet(small, { format: 'dot' })).toBe(`digraph "a \\"net\\"" {
  rankdir=LR;
  node [style=filled, fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=10];
  layer0 [label="ip\\n(InnerProduct)", shape=box, fillcolor="#CC33FF"];
  layer1 [label="relu\\n(ReLU)", shape=box, fillcolor="#90EE90"];
  blob0 [label="x", shape=octagon, fillcolor="#E0E0E0"];
  blob1 [label="y", shape=octagon, fillcolor="#E0E0E0"];
  blob0 -> layer0;
  layer0 -> blob1 [label="3"];
  blob1 -> layer1 [dir=both];
}
`)
    expect(drawNet(small, { format: 'dot', rankdir: 'TB' })).toContain('label="ip (InnerProduct)"')
    expect(drawNet({ layer: [{ name: 'a\n"\\', type: 'X' }] }, { format: 'dot' })).toContain('label="a \\"\\\\\\n(X)"')
  })

  test('Mermaid', () => {
    expect(drawNet(small, { format: 'mermaid', rankdir: 'TB' })).toBe(`flowchart TB
  layer0["ip<br/>(InnerProduct)"]:::inner_product
  layer1["relu<br/>(ReLU)"]:::neuron
  blob0{{"x"}}:::blob
  blob1{{"y"}}:::blob
  blob0 --> layer0
  layer0 -->|"3"| blob1
  blob1 <--> layer1
  classDef inner_product fill:#CC33FF,stroke:#333,color:#000
  classDef neuron fill:#90EE90,stroke:#333,color:#000
  classDef blob fill:#E0E0E0,stroke:#333,color:#000
`)
    expect(drawNet({ layer: [{ name: '"<b>#', type: 'X' }] }, { format: 'mermaid' })).toContain(
      '["#34;#60;b#62;#35;<br/>(X)"]',
    )
  })

  test('files take their format from their extension', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'draw-'))
    try {
      await drawNetToFile(small, join(folder, 'net.svg'))
      await drawNetToFile(small, join(folder, 'net.gv'), { rankdir: 'BT' })
      await drawNetToFile(small, join(folder, 'net.md'), { format: 'mermaid' })
      expect(readFileSync(join(folder, 'net.svg'), 'utf8')).toBe(drawNet(small))
      expect(readFileSync(join(folder, 'net.gv'), 'utf8')).toContain('rankdir=BT')
      await expect(drawNetToFile(small, join(folder, 'net.png'))).rejects.toThrow(
        /\.svg, \.dot or \.mmd; for \.png convert/,
      )
      expect(readdirSync(folder).sort()).toEqual(['net.gv', 'net.md', 'net.svg'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('unknown formats and directions are refused', () => {
    expect(() => drawNet(small, { format: 'png' as never })).toThrow(/only as svg, dot or mermaid/)
    expect(() => drawNet(small, { rankdir: 'XY' as never })).toThrow(/LR, RL, TB or BT, not 'XY'/)
  })
})
