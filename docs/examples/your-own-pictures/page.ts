/** The archive in a web page: draw with the mouse, the net says what it sees. */
import { Net } from 'ristretto'

const canvas = document.querySelector('canvas')!
const answer = document.querySelector('output')!
const pen = canvas.getContext('2d', { willReadFrequently: true })!
pen.fillStyle = '#222'
pen.fillRect(0, 0, canvas.width, canvas.height)
pen.fillStyle = 'gold'

const bytes = new Uint8Array(await (await fetch('/model.zip')).arrayBuffer())
const net = await Net.load(bytes, { maxMemory: 256 * 2 ** 20 })
answer.textContent = `Draw one of: ${net.labels?.join(', ')}`

canvas.onpointermove = ({ buttons, offsetX, offsetY }) => {
  if (buttons) pen.fillRect(offsetX - 12, offsetY - 12, 24, 24)
}
canvas.onpointerup = async () => {
  const [probabilities] = await net.predict([pen.getImageData(0, 0, canvas.width, canvas.height)])
  const best = probabilities.indexOf(Math.max(...probabilities))
  answer.textContent = `${net.labels?.[best] ?? best}, ${(100 * probabilities[best]).toFixed(0)} %`
}
