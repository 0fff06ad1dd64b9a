// The server, from its command line to its last signal. The order of the imports is the order of the
// start: configure.ts must come first.
import { started } from './configure.js';
import { shutDown, startEngine } from './engine.js';
import { runtime } from './runtime.js';

startEngine();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    runtime.log.warning(`Received ${signal} scheduling shutdown...`);
    if (shutDown(runtime.config.save.length > 0, false)) process.exit(0);
  });
}
started();
