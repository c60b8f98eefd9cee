import { describe, expect, test } from 'vitest'
import { enlarge, type LayerPicture, paint, planeAt, planeUnder } from '../../../lib/studio/page/parts/layer_pixels.js'
import { palette } from '../../../lib/studio/page/parts/palettes.js'

/** Three planes of 2 × 1, two in a row: the fourth place is empty. */
const picture: LayerPicture = {
  width: 5,
  height: 3,
  channels: 1,
  columns: 2,
  rows: 2,
  plane: { width: 2, height: 1, count: 3 },
  pixels: Uint8Array.of(0, 255, 0, 10, 20, 0, 0, 0, 0, 0, 100, 100, 0, 0, 0),
}

describe('pictures of layers', () => {
  test('planes lie a pixel apart', () => {
    expect([0, 1, 2].map(plane => planeAt(picture, plane))).toEqual([
      { x: 0, y: 0 },
      { x: 3, y: 0 },
      { x: 0, y: 2 },
    ])
    expect(planeUnder(picture, 4, 0)).toBe(1)
    expect(planeUnder(picture, 2, 0)).toBeUndefined()
    expect(planeUnder(picture, 0, 1)).toBeUndefined()
    expect(planeUnder(picture, 3, 2)).toBeUndefined()
  })

  test('a value has its colour, and what is between planes is clear', () => {
    const colors = paint(picture, 'grey', false)
    expect([...colors.slice(0, 12)]).toEqual([0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 0])
    expect([...colors.slice(12, 16)]).toEqual([10, 10, 10, 255])
    // the empty place
    expect([...colors.slice(13 * 4, 14 * 4)]).toEqual([0, 0, 0, 0])
  })

  test('each plane by its own range; one of a single value stays dark', () => {
    const colors = paint(picture, 'grey', true)
    expect([...colors.slice(12, 20)]).toEqual([0, 0, 0, 255, 255, 255, 255, 255])
    expect(colors[10 * 4]).toBe(0)
  })

  test('pictures in colour are shown as they are', () => {
    const rgb = {
      ...picture,
      width: 2,
      height: 1,
      columns: 1,
      rows: 1,
      channels: 3 as const,
      plane: { width: 2, height: 1, count: 1 },
      pixels: Uint8Array.of(1, 2, 3, 4, 5, 6),
    }
    expect([...paint(rgb, 'viridis', true)]).toEqual([1, 2, 3, 255, 4, 5, 6, 255])
  })

  test('palettes grow lighter all the way', () => {
    for (const name of ['grey', 'viridis', 'cividis'] as const) {
      const colors = palette(name)
      const light = Array.from(
        { length: 256 },
        (_, at) => 0.2126 * colors[3 * at] + 0.7152 * colors[3 * at + 1] + 0.0722 * colors[3 * at + 2],
      )
      for (let at = 1; at < 256; at++) expect(light[at], `${name} ${at}`).toBeGreaterThanOrEqual(light[at - 1] - 0.51)
    }
  })

  test('small pictures grow by whole steps, large ones shrink to the room', () => {
    expect([enlarge(28, 320, 6), enlarge(119, 320, 6), enlarge(640, 320, 6)]).toEqual([6, 2, 0.5])
  })
})
