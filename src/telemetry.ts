import { environment } from './core/config.js'
import { startTelemetry } from './observe/sdk.js'

/**
 * The process's telemetry. The entry points import it before anything else, so that what instrumentations patch is
 * loaded after them; `node --import` does the same for an entry point that does not.
 */
export const telemetry = await startTelemetry(environment())
