/** The archive in a web page: draw with the mouse or a finger, the net says what it sees. */
import { Net } from 'ristretto'

const canvas = document.querySelector('canvas')!
const answer = document.querySelector('output')!
const pen = canvas.getContext('2d', { willReadFrequently: true })!
const clear = () => {
  pen.fillStyle = '#222'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  pen.fillStyle = 'gold'
}
clear()

const bytes = new Uint8Array(await (await fetch('/model.zip')).arrayBuffer())
const net = await Net.load(bytes, { maxMemory: 256 * 2 ** 20 })
const ask = () => {
  answer.textContent = `Draw one of: ${net.labels?.join(', ')}`
}
ask()

canvas.onpointermove = ({ buttons, offsetX, offsetY }) => {
  const scale = canvas.width / canvas.clientWidth
  if (buttons) pen.fillRect(scale * offsetX - 12, scale * offsetY - 12, 24, 24)
}
canvas.onpointerup = async () => {
  const [probabilities] = await net.predict([pen.getImageData(0, 0, canvas.width, canvas.height)])
  const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 3)
  answer.textContent = best.map(k => `${net.labels?.[k] ?? k}, ${(100 * probabilities[k]).toFixed(0)} %`).join('\n')
}
document.querySelector('button')!.onclick = () => {
  clear()
  ask()
}
