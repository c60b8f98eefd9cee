import { Chart } from './chart.js'
import { Pad } from './pad.js'
import type { Reply, Request } from './protocol.js'

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E
const worker = new Worker(new URL('./trainer.ts', import.meta.url), { type: 'module' })
const ask = (request: Request): void => worker.postMessage(request)

const status = element('status')
const losses = new Chart(element('loss'), 'loss')
const accuracies = new Chart(element('accuracy'), 'accuracy on 100 test digits', 1)
const bars = Array.from({ length: 10 }, (_, digit) => {
  const row = document.createElement('li')
  row.innerHTML = `<span>${digit}</span><meter min="0" max="1"></meter><output></output>`
  element('classes').append(row)
  return { meter: row.querySelector('meter')!, output: row.querySelector('output')! }
})
const pad = new Pad(element('pad'), pixels => ask({ type: 'classify', pixels }))

element('train').addEventListener('click', () => {
  losses.clear()
  accuracies.clear()
  status.textContent = 'loading …'
  const iterations = Number(element<HTMLInputElement>('iterations').value)
  ask({ type: 'start', engine: element<HTMLSelectElement>('engine').value, iterations })
})
element('stop').addEventListener('click', () => ask({ type: 'stop' }))
element('clear').addEventListener('click', () => pad.clear())

document.addEventListener('dragover', event => event.preventDefault())
document.addEventListener('drop', async event => {
  event.preventDefault()
  const file = event.dataTransfer?.files[0]
  if (file) ask({ type: 'weights', name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })
})

worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
  switch (data.type) {
    case 'ready':
      element('engine-name').textContent = `${data.engine} (${data.detail})`
      element('explanation').textContent = data.explanation
      if (data.engine.startsWith('gpu')) status.textContent = 'compiling shaders …'
      break
    case 'loss':
      losses.add(data.iter, data.loss)
      status.textContent = `iteration ${data.iter}, loss ${data.loss.toFixed(3)}, ${data.msPerIteration.toFixed(0)} ms`
      break
    case 'accuracy':
      accuracies.add(data.iter, data.accuracy)
      break
    case 'stopped':
      status.textContent += ', done'
      break
    case 'probabilities':
      data.values.forEach((value, digit) => {
        bars[digit].meter.value = value
        bars[digit].output.textContent = `${(100 * value).toFixed(0)} %`
      })
      break
    case 'loaded':
      status.textContent = `${data.name}: weights of ${data.layers.join(', ')}`
      break
    case 'error':
      status.textContent = data.message
  }
})
worker.addEventListener('error', event => {
  status.textContent = event.message
})
