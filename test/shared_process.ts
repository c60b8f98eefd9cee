/** Before every test file that shares its process with others: layers that a file registers go with it. */
import { afterAll } from 'vitest'
import { rememberLayers } from '../lib/registry.js'

afterAll(rememberLayers())
