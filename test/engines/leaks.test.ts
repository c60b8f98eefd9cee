import { checkLeaks } from './leaks.js'

// in full: leaks.ci.test.ts
checkLeaks(false)
