import { checkLeaks } from './leaks.js'

checkLeaks(true)
