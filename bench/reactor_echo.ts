// What the reactor itself costs: CPU per request of a server that answers +PONG to every request
// and does nothing else, against Debian's redis-server, taking turns in one run.
//
//   node dist/bench/reactor_echo.js [--requests 300000] [--rounds 5] [--clients 50] [--pipeline 1]
//
// The load is `redis-benchmark -t ping_mbulk`; the figure is user and system time of all threads of
// the server over the requests. The same file is the server (`reactor_echo.js serve --port N`): it
// counts line ends, of which a PING in RESP has three, so it is the floor that a real one stands on.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { EVENT_DATA, EVENT_FIELDS, native } from '../native/index.js';
import { median } from './report/statistics.js';
import { textTable } from './report/text_table.js';
import { peer, ServerProcess } from './server/server_process.js';

const LINE_FEED = 10;
const LINES_PER_REQUEST = 3;
const LOOP_MILLIS_MAX = 1;
const PONG = Buffer.from('+PONG\r\n');

/** Answers on the port until it is killed. */
function serve(port: number): void {
  const outputBytes = 1 << 20;
  const reactor = native.createReactor({
    onReady,
    inputBytes: 1 << 20,
    outputBytes,
    readBytesMax: 64 * 1024,
  });
  const { input, output, events, sends } = reactor;
  const linesLeftOver = new Uint8Array(65_536);
  const sendsMax = sends.length / 3;
  let outputUsed = 0;
  let sendCount = 0;

  function answer(connection: number, offset: number, length: number): void {
    let lines = linesLeftOver[connection]!;
    for (let index = offset; index < offset + length; index++) {
      if (input[index] === LINE_FEED) lines++;
    }
    const replies = (lines / LINES_PER_REQUEST) | 0;
    linesLeftOver[connection] = lines - replies * LINES_PER_REQUEST;
    if (outputUsed + replies * PONG.length > outputBytes || sendCount === sendsMax) {
      reactor.flush(sendCount);
      outputUsed = sendCount = 0;
    }
    const start = outputUsed;
    for (let reply = 0; reply < replies; reply++) {
      for (let index = 0; index < PONG.length; index++) output[outputUsed++] = PONG[index]!;
    }
    const row = sendCount++ * 3;
    sends[row] = connection;
    sends[row + 1] = start;
    sends[row + 2] = outputUsed - start;
  }

  function onReady(): void {
    const started = performance.now();
    let count: number;
    do {
      count = reactor.turn(sendCount);
      outputUsed = sendCount = 0;
      for (let row = 0; row < count * EVENT_FIELDS; row += EVENT_FIELDS) {
        if (events[row + 1] === EVENT_DATA) {
          answer(events[row]!, events[row + 2]!, events[row + 3]!);
        } else {
          linesLeftOver[events[row]!] = 0;
        }
      }
    } while (count > 0 && performance.now() - started < LOOP_MILLIS_MAX);
    reactor.flush(sendCount);
    outputUsed = sendCount = 0;
  }

  reactor.listenTcp('127.0.0.1', port, 511);
  console.log('Ready to accept connections');
}

interface Load {
  readonly requests: number;
  readonly clients: number;
  readonly pipeline: number;
}

/** Microseconds of CPU per request. */
async function measure(server: ServerProcess, load: Load): Promise<number> {
  const before = server.cpuMicros();
  const args = { p: server.port, n: load.requests, c: load.clients, P: load.pipeline };
  await promisify(execFile)('redis-benchmark', [
    ...Object.entries(args).flatMap(([name, value]) => [`-${name}`, String(value)]),
    ...['-t', 'ping_mbulk', '-q'],
  ]);
  return (server.cpuMicros() - before) / load.requests;
}

async function compare(load: Load, rounds: number): Promise<void> {
  const file = fileURLToPath(import.meta.url);
  const contestants = [
    peer('/usr/bin/redis-server'),
    { name: 'reactor', program: process.execPath, args: [file, 'serve'] },
  ];
  const servers: ServerProcess[] = [];
  try {
    for (const contestant of contestants) servers.push(await ServerProcess.start(contestant));
    const figures = servers.map((): number[] => []);
    for (const server of servers) {
      await measure(server, { ...load, requests: Math.ceil(load.requests / 3) }); // warm-up
    }
    for (let round = 0; round < rounds; round++) {
      for (const [index, server] of servers.entries()) {
        figures[index]!.push(await measure(server, load));
      }
    }
    console.log(`Node ${process.version}, ${JSON.stringify(load)}: CPU microseconds per request`);
    console.log(
      textTable(
        ['server', 'median', 'rounds'],
        contestants.map(({ name }, index) => [
          name,
          median(figures[index]!).toFixed(2),
          figures[index]!.map((micros) => micros.toFixed(2)).join(' '),
        ]),
      ),
    );
  } finally {
    for (const server of servers) await server.stop();
  }
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'serve') {
  const { values } = parseArgs({
    args: rest,
    options: { port: { type: 'string' } },
    strict: false,
  });
  serve(Number(values.port));
} else {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '300000' },
      rounds: { type: 'string', default: '5' },
      clients: { type: 'string', default: '50' },
      pipeline: { type: 'string', default: '1' },
    },
  });
  await compare(
    {
      requests: Number(values.requests),
      clients: Number(values.clients),
      pipeline: Number(values.pipeline),
    },
    Number(values.rounds),
  );
}
