// The same bytes to a Redis server and to parser plus reply writer: the replies must agree byte for byte.
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { args } from '../../protocol/arguments.js';
import { unknownCommand, wrongArity } from '../../protocol/error_replies.js';
import { reply } from '../../protocol/reply_writer.js';
import { COMPLETE, EMPTY, INCOMPLETE, ParseState, parse } from '../../protocol/resp_parser.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { latin1, multibulk } from './drive.js';
import { abbreviated, STREAMS } from './protocol_cases.js';

const OUTPUT_BYTES = 128 * 1024;

const UNKNOWN_COMMANDS: readonly string[] = [
  multibulk('nosuch\r\ncommand', 'a\nb', '\0', 'x\0y', '\xff'),
  multibulk('x'.repeat(200), 'y'.repeat(200), 'z'),
  multibulk('x', 'y'.repeat(100), 'z'.repeat(100), 'w'),
  multibulk('x', ...Array.from({ length: 60 }, (_, i) => String(i))),
  multibulk('x', 'y'.repeat(124), '', 'z'),
  multibulk('x', 'y'.repeat(125), '', 'z'),
  multibulk('x', '', '', ''),
  multibulk('', ''),
];

/** Sends the bytes, ends the sending side, and returns all bytes that come back. */
function ask(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(answer);
    });
    socket.end(bytes);
  });
}

/** What a server of two commands (PING and ECHO) on this parser and writer would send. */
function answer(bytes: Uint8Array): string {
  let sent = '';
  const output = new Uint8Array(OUTPUT_BYTES);
  reply.attach(output, (writer) => {
    sent += Buffer.from(output.subarray(writer.segmentStart, writer.position)).toString('latin1');
    writer.position = 0;
    writer.segmentStart = 0;
  });
  const state = new ParseState();
  for (let at = 0; at < bytes.length; at = state.next) {
    const status = parse(state, bytes, at, bytes.length);
    if (status === INCOMPLETE) {
      break;
    }
    if (status === COMPLETE) {
      execute();
    } else if (status !== EMPTY) {
      reply.error(state.error);
      break;
    }
  }
  return sent + Buffer.from(output.subarray(reply.segmentStart, reply.position)).toString('latin1');
}

function execute(): void {
  const echo = args.equals(0, 'echo');
  if (!echo && !args.equals(0, 'ping')) {
    reply.error(unknownCommand(args));
  } else if (echo ? args.count !== 2 : args.count > 2) {
    reply.error(wrongArity(args.latin1(0).toLowerCase()));
  } else if (args.count === 2) {
    reply.bulk(args.buffer, args.offsets[1]!, args.lengths[1]!);
  } else {
    reply.pong();
  }
}

describeWithPeer('requests as Redis reads them', () => {
  let peer: TestServer;
  beforeAll(async () => {
    peer = await spawnServer({ kind: 'redis' });
  });
  afterAll(() => peer.stop());

  // SET exists there and not here; a blank line alone shows nothing.
  const streams = STREAMS.filter((text) => !text.includes('SET'));
  const cases = [...streams, ...UNKNOWN_COMMANDS];
  test.each(cases.map((text) => [abbreviated(text), text]))('%s', async (_, text) => {
    const bytes = latin1(text);
    expect(answer(bytes)).toBe(await ask(peer.port, bytes));
  });
});
