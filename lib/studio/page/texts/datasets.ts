import { plural } from './plural.js'

/** Datasets: what they are made of, and how they look. */
export const datasetTexts = {
  drop: {
    pick: 'Choose files',
    pickFolder: 'Choose a folder',
    files: (items: string) => `${items} files`,
    sent: (share: number) => `${Math.round(share * 100)} % sent`,
  },

  sources: {
    folder: {
      title: 'Folders',
      note: 'A folder with a folder of pictures for each class; or folders train, val and test of such.',
      drop: 'Drop a folder of class folders here',
    },
    zip: { title: 'Zip', note: 'Class folders in a zip.', drop: 'Drop a zip here' },
    idx: {
      title: 'idx files',
      note: 'Files as MNIST comes in: pictures and labels, packed with gzip or not.',
      drop: 'Drop the idx files here, all together',
    },
    lists: {
      title: 'Lists',
      note: 'Texts with a path and a label a line, beside their pictures.',
      drop: 'Drop the folder with lists and pictures here',
    },
    lmdb: {
      title: 'LMDB',
      note: 'Databases that exist already, as Caffe reads them.',
      drop: 'Drop the folder of the databases here',
    },
  },
  resize: [
    ['squash', 'Squash'],
    ['crop', 'Crop the middle'],
    ['fill', 'Fill with black'],
    ['half-crop', 'Half crop, half fill'],
  ] as const,

  newDataset: {
    title: 'New dataset',
    source: 'Where the pictures are',
    path: 'Or a path on the server',
    pathHint: 'Within the folders that the server may read.',
    lists: { train: 'Training list', val: 'Validation list', test: 'Test list', labels: 'Names of classes' },
    settings: 'What becomes of them',
    color: 'Colour',
    colorAuto: 'As they are',
    grey: 'Grey',
    rgb: 'Colour',
    width: 'Width',
    height: 'Height',
    asIs: 'as it is',
    resize: 'Resize',
    val: 'Validation, %',
    test: 'Test, %',
    seed: 'Seed',
    encode: 'Keep pictures packed as PNG: smaller, and slower to read',
    preview: 'Preview',
    previewEmpty: 'Examples appear here once there is a source',
    found: (pictures: string, classes: number) =>
      `Found ${plural(pictures, 'picture', 'pictures')} of ${plural(classes, 'class', 'classes')}.`,
    before: (name: string) => `${name} as it is`,
    after: (name: string) => `${name} as the net gets it`,
    skipped: (items: number) => `${plural(items, 'file is', 'files are')} left out`,
    name: 'Name it',
    noSource: 'Drop pictures or name a path first.',
    noName: 'Give it a name.',
  },

  dataset: {
    notYet: 'The dataset is not made yet',
    about: 'About it',
    records: (items: string) => plural(items, 'picture', 'pictures'),
    size: 'Size of a picture',
    mean: 'Mean',
    disk: 'On disk',
    meanPicture: 'Mean picture',
    histogram: (set: string) => `Classes of the ${set.toLowerCase()}`,
    browse: 'Pictures',
    set: 'Set',
    class: 'Class',
    allClasses: 'All classes',
    noneOfClass: 'This set has no picture of that class',
    order: 'Order',
    stored: 'As stored',
    hardest: (evaluation: string) => `Hardest for ${evaluation}`,
    said: (label: string, said: string) => `${label}, said ${said}`,
  },
}
