import { datasetTexts } from './texts/datasets.js'
import { frameTexts } from './texts/frame.js'
import { lookingTexts } from './texts/looking.js'
import { makingTexts } from './texts/making.js'

/** Everything that the page says, in one place. */
export const texts = { ...frameTexts, ...datasetTexts, ...makingTexts, ...lookingTexts }
