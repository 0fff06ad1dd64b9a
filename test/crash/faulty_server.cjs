// The server with a handle on its system calls: started by system_calls.test.ts as a child with a
// channel. A message { fault } arms native.injectFault; every message is answered with the calls
// that were recorded.
'use strict';
const { pathToFileURL } = require('node:url');

const [addon, main] = [process.env.FAULTY_ADDON, process.env.FAULTY_MAIN];
const native = require(addon);
process.on('message', ({ fault }) => {
  const calls = native.recordedCalls();
  if (fault !== undefined) native.injectFault(fault);
  process.send({ calls });
});
import(pathToFileURL(main).href);
