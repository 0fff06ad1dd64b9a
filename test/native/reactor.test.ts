// The reactor as TypeScript sees it: through the addon, libuv's loop, and Node's own sockets as
// clients. What needs no Node is tested natively (reactor_core.test.ts).
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { EVENT_ACCEPTED, EVENT_CLOSED, EVENT_DRAINED, native } from '../../native/index.js';
import { ReactorServer, type ReactorServerOptions } from './reactor_server.js';

const ADDON = new URL('../../native/build/Release/stillframe.node', import.meta.url).pathname;
const ECONNRESET = 104;

const servers: ReactorServer[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.reactor.shutdown();
  for (const socket of sockets.splice(0)) socket.destroy();
});

function start(options?: ReactorServerOptions): { server: ReactorServer; port: number } {
  const server = new ReactorServer(options);
  servers.push(server);
  return { server, port: server.listen() };
}

async function open(address: number | string): Promise<Socket> {
  const socket = typeof address === 'string' ? connect(address) : connect(address, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  return socket.setNoDelay(true);
}

/** All bytes until there are `length` of them. */
async function receive(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.length;
  };
  socket.on('data', onData);
  while (received < length) await once(socket, 'data');
  socket.off('data', onData);
  return Buffer.concat(chunks);
}

test('echoes across buffers that are smaller than the data', async () => {
  const { port } = start({ inputBytes: 4096, outputBytes: 4096, readBytesMax: 1000 });
  const socket = await open(port);
  const bytes = Buffer.alloc(300_000, 'a pattern of 23 bytes..');
  socket.write(bytes);
  expect((await receive(socket, bytes.length)).equals(bytes)).toBe(true);
});

test('serves 1,000 connections at once', async () => {
  const { server, port } = start();
  const clients = await Promise.all(Array.from({ length: 1000 }, () => open(port)));
  const replies = clients.map((socket, index) => {
    socket.write(`client ${index}`);
    return receive(socket, `client ${index}`.length);
  });
  const texts = (await Promise.all(replies)).map(String);
  expect(texts).toEqual(clients.map((_, index) => `client ${index}`));
  expect(server.reactor.counters()).toMatchObject({ accepted: 1000, acceptErrors: 0 });
});

test('answers a client that half-closes after its request', async () => {
  const { server, port } = start();
  const socket = await open(port);
  const closed = server.next(EVENT_CLOSED);
  socket.end('PING\r\n');
  expect(String(await receive(socket, 6))).toBe('PING\r\n');
  await once(socket, 'close');
  expect((await closed).value).toBe(0);
});

test('tells a reset with its errno', async () => {
  const { server, port } = start();
  const accepted = server.next(EVENT_ACCEPTED);
  const socket = await open(port);
  await accepted;
  const closed = server.next(EVENT_CLOSED);
  socket.resetAndDestroy();
  expect((await closed).value).toBe(ECONNRESET);
});

test('queues 64 MB for a slow reader and tells when it is drained', async () => {
  const { server, port } = start();
  const accepted = server.next(EVENT_ACCEPTED);
  const socket = (await open(port)).pause();
  const { connection } = await accepted;
  const { reactor } = server;
  const bytes = Buffer.alloc(64 << 20);
  for (let index = 0; index < bytes.length; index += 4096) bytes.writeUInt32LE(index, index);
  const drained = server.next(EVENT_DRAINED);
  reactor.send(connection, bytes, 0, bytes.length);
  const queued = reactor.queuedBytes(connection);
  expect(queued).toBeGreaterThan(32 << 20);
  expect(queued).toBe(bytes.length - reactor.counters().bytesOut);
  expect(reactor.queuedBytesTotal()).toBe(queued);
  expect((await receive(socket.resume(), bytes.length)).equals(bytes)).toBe(true);
  expect((await drained).connection).toBe(connection);
  expect(reactor.queuedBytesTotal()).toBe(0);
});

test('closes from a timer, with and without sending what is queued', async () => {
  const { server, port } = start();
  const accepted = server.next(EVENT_ACCEPTED);
  const first = await open(port);
  const { connection } = await accepted;
  const closed = server.next(EVENT_CLOSED);
  setTimeout(() => {
    server.reactor.closeAfterSend(connection);
    server.reactor.send(connection, Buffer.from('goodbye'), 0, 7);
  }, 1);
  expect(String(await receive(first, 7))).toBe('goodbye');
  expect(await closed).toEqual({ connection, kind: EVENT_CLOSED, value: 0 });

  const next = server.next(EVENT_ACCEPTED);
  const second = await open(port);
  const { connection: other } = await next;
  const ended = server.next(EVENT_CLOSED);
  setTimeout(() => server.reactor.close(other), 1);
  second.resume();
  expect((await ended).connection).toBe(other);
  await once(second, 'close');
});

test('setReading(false) holds input back', async () => {
  const { server, port } = start();
  const accepted = server.next(EVENT_ACCEPTED);
  const socket = await open(port);
  const { connection } = await accepted;
  server.reactor.setReading(connection, false);
  socket.write('held');
  const other = await open(port);
  other.write('served');
  await receive(other, 6);
  expect(server.reactor.counters().bytesIn).toBe(6);
  server.reactor.setReading(connection, true);
  expect(String(await receive(socket, 4))).toBe('held');
});

test('timers and promises get their turn under load', async () => {
  const { server, port } = start({ respond: (bytes) => bytes });
  const flooders = await Promise.all(Array.from({ length: 8 }, () => open(port)));
  const block = Buffer.alloc(1 << 16);
  for (const socket of flooders) {
    socket.on('data', () => socket.writableLength === 0 && socket.write(block));
    socket.write(block);
  }
  let microtasks = 0;
  let ticks = 0;
  const before = server.reactor.counters().bytesIn;
  await new Promise<void>((resolve) => {
    const interval = setInterval(() => {
      Promise.resolve().then(() => microtasks++);
      if (++ticks < 50) return;
      clearInterval(interval);
      resolve();
    }, 1);
  });
  expect(microtasks).toBeGreaterThanOrEqual(49);
  expect(server.reactor.counters().bytesIn).toBeGreaterThan(before + (1 << 20));
});

test('promises of a callback run before the next one', async () => {
  const order: string[] = [];
  const { port } = start({
    respond: (bytes) => {
      order.push(`data ${bytes}`);
      process.nextTick(() => order.push(`tick ${bytes}`));
      Promise.resolve().then(() => order.push(`microtask ${bytes}`));
      return bytes;
    },
  });
  const socket = await open(port);
  for (const text of ['1', '2']) {
    socket.write(text);
    await receive(socket, 1);
  }
  expect(order).toEqual(['data 1', 'tick 1', 'microtask 1', 'data 2', 'tick 2', 'microtask 2']);
});

test('is quiet when nothing happens, also with closed, paused and half-closed peers', async () => {
  const { server, port } = start();
  const accepted = server.next(EVENT_ACCEPTED);
  const paused = await open(port);
  server.reactor.setReading((await accepted).connection, false);
  paused.end('never read');
  const gone = await open(port);
  const closed = server.next(EVENT_CLOSED);
  gone.destroy();
  await closed;
  // Whatever the sockets before had to say has been said when a later one is answered.
  const later = await open(port);
  later.write('ping');
  await receive(later, 4);
  const readyCount = server.readyCount;
  const observed = 50; // milliseconds in which a busy loop would run thousands of times
  await new Promise((resolve) => setTimeout(resolve, observed));
  expect(server.readyCount).toBe(readyCount);
});

test('accepts and forgets 5,000 connections that come and go', async () => {
  const { server, port } = start();
  const steady = await open(port);
  for (let batch = 0; batch < 50; batch++) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = await open(port);
        sockets.splice(sockets.indexOf(socket), 1);
        if (index % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
        await once(socket, 'close');
      }),
    );
    steady.write('still here');
    expect(String(await receive(steady, 10))).toBe('still here');
  }
  while (server.count(EVENT_CLOSED) < 5000) await server.next(EVENT_CLOSED);
  const ids = server.happenings.map(({ connection }) => connection);
  expect(Math.max(...ids)).toBeLessThan(1000); // ids are used again
  expect(server.count(EVENT_ACCEPTED)).toBe(5001);
});

test('listens on IPv4, IPv6 and Unix sockets and describes their connections', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stillframe-reactor-'));
  const path = join(folder, 'sock');
  const { server, port } = start();
  const { reactor } = server;
  const six = reactor.listenTcp('::1', port, 16);
  const local = reactor.listenUnix(path, 0o700, 16);
  expect(six.port).toBe(port);
  expect(statSync(path).mode & 0o777).toBe(0o700);

  const accepted = server.next(EVENT_ACCEPTED);
  const overSix = connect(port, '::1');
  sockets.push(overSix);
  const first = await accepted;
  expect(first.value).toBe(six.listener);
  const described = reactor.describe(first.connection);
  expect(described).toMatchObject({
    address: `[::1]:${overSix.localPort}`,
    localAddress: `[::1]:${port}`,
  });
  expect(described.fd).toBeGreaterThan(2);

  const next = server.next(EVENT_ACCEPTED);
  const overFile = await open(path);
  const second = await next;
  expect(second.value).toBe(local.listener);
  expect(reactor.describe(second.connection).address).toBe(`${path}:0`);
  overFile.write('hello');
  expect(String(await receive(overFile, 5))).toBe('hello');
  reactor.setKeepAlive(first.connection, 300);
  reactor.closeListener(local.listener);
  rmSync(folder, { recursive: true });
});

test('errors say what failed', () => {
  const { server, port } = start();
  const { reactor } = server;
  expect(() => reactor.listenTcp('127.0.0.1', port, 16)).toThrow(
    expect.objectContaining({
      message: `bind 127.0.0.1:${port}: Address already in use`,
      code: 'EADDRINUSE',
    }),
  );
  expect(() => reactor.listenUnix('/nonexistent/sock', null, 16)).toThrow(
    'bind /nonexistent/sock: No such file or directory',
  );
  reactor.sends.set([0, 1 << 20, 1]);
  expect(() => reactor.turn(1)).toThrow(RangeError);
  expect(() => reactor.flush(1)).toThrow(RangeError);
  expect(() => reactor.send(0, new Uint8Array(4), 2, 3)).toThrow(RangeError);
  const options = { onReady: () => {}, inputBytes: 1, outputBytes: 1, readBytesMax: 2 };
  expect(() => native.createReactor(options)).toThrow(RangeError);
});

test('arguments of wrong types are TypeErrors', () => {
  const { reactor } = start().server;
  const methods = reactor as unknown as Record<string, (...args: unknown[]) => unknown>;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(reactor));
  const harmless = ['constructor', 'queuedBytesTotal', 'counters', 'shutdown'];
  for (const name of names.filter((each) => !harmless.includes(each))) {
    expect(() => methods[name]!(), name).toThrow(Error);
    expect(() => methods[name]!(null, {}, 'x', []), name).toThrow(Error);
  }
  expect(() => methods.send!(0, null, 0, 0)).toThrow('send: expected a Uint8Array');
  expect(() => methods.listenTcp!('127.0.0.1', 0)).toThrow(
    'listenTcp: argument 3 must be a number',
  );
  expect(() => methods.setReading!(0, 1)).toThrow('setReading: argument 2 must be a boolean');
  expect(() => methods.turn!.call({}, 0)).toThrow(Error);
  expect(() => native.createReactor({} as never)).toThrow('a function onReady');
});

test('shutdown closes everything, twice, and leaves a harmless handle', async () => {
  const { server, port } = start();
  const clients = await Promise.all(Array.from({ length: 20 }, () => open(port)));
  const closed = clients.map((socket) => once(socket.resume(), 'close'));
  server.reactor.shutdown();
  server.reactor.shutdown();
  await Promise.all(closed);
  expect(server.reactor.turn(0)).toBe(0);
  expect(server.reactor.describe(0).fd).toBe(-1);
  expect(() => server.reactor.listenTcp('127.0.0.1', 0, 1)).toThrow('epoll_ctl');
});

/** Runs CommonJS code with the addon as `native` in a process of its own. */
function runScript(code: string): string {
  const script = `const native = require(${JSON.stringify(ADDON)});
    const net = require('node:net');
    const sizes = { inputBytes: 4096, outputBytes: 4096, readBytesMax: 4096 };
    ${code}`;
  return execFileSync(process.execPath, ['--expose-gc', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
}

test('an exception in onReady is an uncaughtException', () => {
  const output = runScript(`
    process.on('uncaughtException', (error) => {
      console.log('caught', error.message);
      process.exit(0);
    });
    const reactor = native.createReactor({ ...sizes, onReady() { throw new Error('mine'); } });
    net.connect(reactor.listenTcp('127.0.0.1', 0, 16).port, '127.0.0.1');`);
  expect(output).toBe('caught mine\n');
});

test('a process ends with an open reactor, after shutdown, and after collection', () => {
  const open = `const reactor = native.createReactor({ ...sizes, onReady() { reactor.turn(0); } });
    const socket = net.connect(reactor.listenTcp('127.0.0.1', 0, 16).port, '127.0.0.1');`;
  expect(runScript(`${open} socket.on('connect', () => process.exit(0));`)).toBe('');
  const graceful = `${open} socket.on('close', () => console.log('closed'));
    socket.on('connect', () => reactor.shutdown()).resume();`;
  expect(runScript(graceful)).toBe('closed\n');
  const collected = `for (let count = 0; count < 50; count++) {
      const reactor = native.createReactor({ ...sizes, onReady() {} });
      reactor.listenTcp('127.0.0.1', 0, 16);
      reactor.shutdown();
    }
    setImmediate(() => { gc(); setImmediate(() => { gc(); console.log('done'); }); });`;
  expect(runScript(collected)).toBe('done\n');
});

test('a worker thread ends with an open reactor', async () => {
  const code = `const { parentPort } = require('node:worker_threads');
    const native = require(${JSON.stringify(ADDON)});
    const reactor = native.createReactor({
      onReady() { reactor.turn(0); parentPort.postMessage('ready'); },
      inputBytes: 4096, outputBytes: 4096, readBytesMax: 4096,
    });
    parentPort.postMessage(reactor.listenTcp('127.0.0.1', 0, 16).port);`;
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(code, { eval: true });
    const [port] = await once(worker, 'message');
    const socket = await open(port as number);
    await once(worker, 'message');
    const closed = once(socket.resume(), 'close');
    await worker.terminate();
    await closed;
  }
});
