import type { Walkthrough } from './walkthrough.js'

/** Each goes on where the one before it ended; the same with a server and without. */
export const walkthroughSteps: readonly [string, (walk: Walkthrough) => Promise<void>][] = [
  ['opens with the token; the empty project says what to do', walk => walk.open()],
  ['makes a dataset of idx files, and browses it', walk => walk.makeDataset()],
  ['takes LeNet; a broken name is marked on its line, with the right one', walk => walk.customize()],
  ['adds a layer of its own, checked, between data and conv1', walk => walk.addLayer()],
  ['trains through a crash, to the weights of the library without one', walk => walk.train()],
  ['has learned, and marks the best snapshot', walk => walk.checkTraining()],
  ['sends a picture through, with the values of the library, and draws one', walk => walk.testOne()],
  ['evaluates the validation set, and opens what was wrong', walk => walk.evaluate()],
  ['downloads an archive, which runs without Studio and comes back; code in it is asked for', walk => walk.archive()],
  ['sweeps two rates and compares them; a dataset in use stays', walk => walk.compare()],
  ['goes on when nothing answers any more, or when something does again', walk => walk.offline()],
]
