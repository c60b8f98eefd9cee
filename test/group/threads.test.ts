import { describe, expect, it } from 'vitest'
import { treeSum } from '../../kernels/js/tree_sum.js'
import { createExchange, slotsAt, WORD, wordsOf } from '../../lib/group/exchange.js'
import { Patience } from '../../lib/group/patience.js'
import { exchangeSum, ThreadGroup } from '../../lib/group/threads.js'
import { alone, type Communicator, isOwn, shareOf } from '../../lib/group.js'
import { Memory, RandomStream } from '../../lib/index.js'
import { membersOf } from './groups.js'

const random = new RandomStream(1, 'groups')
const values = (n: number) => Float32Array.from({ length: n }, () => random.uniform() - 0.5)
const memoryOf = (values: Float32Array) => {
  const memory = new Memory(values.length)
  memory.array.set(values)
  return memory
}

/** Σ of rows as the tree that all transports share. */
function treeOf(rows: readonly Float32Array[]): number[] {
  const slots = new Float32Array(rows.length * rows[0].length)
  rows.forEach((row, r) => {
    slots.set(row, r * row.length)
  })
  treeSum(slots, rows[0].length, rows.length, 0, rows[0].length)
  return [...slots.subarray(0, rows[0].length)]
}

describe('treeSum', () => {
  it('adds neighbours, then pairs of them: the left part has the largest power of two', () => {
    // values whose sum depends on the order
    const [a, b, c, d, e] = [1e8, 1, -1e8, 0.5, 3]
    const f = Math.fround
    for (const [n, sum] of [
      [1, a],
      [2, f(a + b)],
      [3, f(f(a + b) + c)],
      [4, f(f(a + b) + f(c + d))],
      [5, f(f(f(a + b) + f(c + d)) + e)],
    ]) {
      const slots = new Float32Array([a, b, c, d, e])
      treeSum(slots, 1, n, 0, 1)
      expect(slots[0]).toBe(sum)
    }
  })

  it('in WebAssembly is the same, over blocks of the cache and for any number of slots', async () => {
    for (const n of [1, 2, 3, 4, 7, 8]) {
      const exchange = createExchange(n)
      const sum = await exchangeSum(exchange)
      const rows = Array.from({ length: n }, () => values(1200))
      const base = slotsAt(exchange, 0)
      const slot = (r: number) => new Float32Array(exchange.memory.buffer, base + 4 * r * exchange.slot, 1200)
      rows.forEach((row, r) => {
        slot(r).set(row)
      })
      sum(base, 4 * exchange.slot, n, 64, 4800)
      expect([...slot(0).subarray(16)]).toEqual(treeOf(rows).slice(16))
      // what is not asked for stays
      expect([...slot(0).subarray(0, 16)]).toEqual([...rows[0].subarray(0, 16)])
    }
  })
})

describe('shareOf', () => {
  it('deals contiguous runs in the order of ranks, and a batch to everybody', () => {
    for (const size of [1, 2, 3, 4, 8])
      for (const batches of [1, 2, 5, 8, 100]) {
        let next = 0
        for (let rank = 0; rank < size; rank++) {
          const share = shareOf(rank, size, batches)
          expect(share.own).toBeGreaterThan(0)
          expect(share.before + share.own + share.after).toBe(batches)
          expect(Math.min(share.before, share.after)).toBeGreaterThanOrEqual(0)
          if (!isOwn(share, batches)) continue
          expect(share.before).toBe(next)
          next += share.own
        }
        expect(next).toBe(batches)
      }
  })
})

/** What each member does, all at once. */
const all = <T>(members: readonly Communicator[], use: (member: Communicator) => Promise<T>): Promise<T[]> =>
  Promise.all(members.map(use))

describe('threads', () => {
  it('sum, gather and broadcast, in pieces where a slot is too small', async () => {
    for (const size of [2, 3, 5]) {
      const exchange = { ...createExchange(size), slot: 64 }
      const sum = await exchangeSum(exchange)
      const members = Array.from({ length: size }, (_, rank) => new ThreadGroup(exchange, rank, sum))
      const rows = members.map(() => values(150))
      const short = members.map(() => values(3))
      const sums = treeOf(rows)
      const shortSums = treeOf(short)
      await all(members, async member => {
        const memories = [memoryOf(rows[member.rank]), memoryOf(short[member.rank]), memoryOf(new Float32Array(0))]
        member.sum(memories[0], memories[2])
        member.sum(memories[1])
        expect(await member.gather(Float32Array.of(member.rank, 7))).toEqual(
          members.map(({ rank }) => Float32Array.of(rank, 7)),
        )
        await member.finish()
        expect([...memories[0].array]).toEqual(sums)
        expect([...memories[1].array]).toEqual(shortSums)
        await member.broadcast(memories.slice(0, 2))
        expect([...memories[0].array]).toEqual(sums)
        const own = memoryOf(rows[member.rank])
        await member.broadcast([own])
        expect([...own.array]).toEqual([...rows[0]])
        expect(await member.gather(rows[member.rank])).toEqual(rows)
        // nothing begun, nothing to do
        await member.finish()
      })
    }
  })

  it('a member that has failed or gone ends the waits of the others', async () => {
    const exchange = createExchange(3)
    const sum = await exchangeSum(exchange)
    const members = [0, 1].map(rank => new ThreadGroup(exchange, rank, sum))
    const waits = members.map(member => member.gather(new Float32Array(1)))
    Atomics.store(wordsOf(exchange), WORD.failed, 3)
    Atomics.notify(wordsOf(exchange), WORD.meetings)
    for (const wait of waits) await expect(wait).rejects.toThrow('worker 2 of 3 has failed, so all end')

    const [a, b] = await membersOf(2)
    const wait = a.gather(new Float32Array(1))
    await b.close()
    await expect(wait).rejects.toThrow('worker 1 of 2 has closed its group, worker 0 goes on')
    await expect(b.gather(new Float32Array(1))).rejects.toThrow('this member of the group was closed')
  })

  it('a wait ends with an error where that is asked for, which names who has not come', async () => {
    const exchange = createExchange(3)
    const notes: unknown[] = []
    const [a, b] = await Promise.all(
      [0, 2].map(
        async rank =>
          new ThreadGroup(exchange, rank, await exchangeSum(exchange), { timeout: 0.001 }, note => notes.push(note)),
      ),
    )
    const waits = [a.gather(new Float32Array(1)), b.gather(new Float32Array(1))]
    const errors = await Promise.all(waits.map(wait => wait.catch(error => (error as Error).message)))
    expect(errors.join()).toContain('worker 1 of 3 has not come for 0.001 s')
    expect(JSON.stringify(notes)).toContain('worker 1 of 3 has not come')
  })

  it('a wait of a minute is told of once', () => {
    const told: string[] = []
    const patience = new Patience({ log: line => told.push(line) })
    patience.begin()
    const { now } = performance
    try {
      for (let s = 1; s < 200; s++) {
        performance.now = () => 1e6 + 1000 * s
        expect(patience.look(() => 'worker 1 of 2 has')).toBeUndefined()
      }
    } finally {
      performance.now = now
    }
    expect(told).toEqual(['worker 1 of 2 has not come for 60 s: stopped, swapping, or slower than the others?'])
  })

  it('a group of one gives back what it gets', async () => {
    expect(await alone.gather(Float32Array.of(1, 2))).toEqual([Float32Array.of(1, 2)])
    expect(() => alone.abort('enough')).toThrow('enough')
  })
})
