// Runs handlers without a server: for tests that look at the heap after each command. Import it after
// openTestArena() and createHeap().
import { args } from '../../protocol/arguments.js';
import { reply } from '../../protocol/reply_writer.js';
import { Client } from '../../server/client.js';
import { findCommand } from '../../server/command_table/command_table.js';
import { type Arg, argBytes } from './raw_client.js';
import { type Plain, plain, type Reply, ReplyDecoder } from './reply.js';

const client = new Client(0, 1, { fd: -1, address: '', localAddress: '' }, false, 0);
const decoder = new ReplyDecoder();
reply.attach(new Uint8Array(64 * 1024), (writer) => {
  decoder.feed(Buffer.from(writer.buffer.slice(0, writer.position)));
  writer.position = 0;
});

/** Executes a command as the server would and returns its reply. */
export function run(...command: Arg[]): Reply {
  const parts = command.map(argBytes);
  const lengths = Int32Array.from(parts, (part) => part.length);
  const offsets = new Int32Array(parts.length);
  for (let i = 1; i < parts.length; i++) offsets[i] = offsets[i - 1]! + lengths[i - 1]!;
  args.load({ bytes: new Uint8Array(Buffer.concat(parts)), offsets, lengths });
  const name = String(command[0]).toLowerCase();
  const row = findCommand(name)!;
  const chosen =
    row.subcommands === null ? row : findCommand(`${name}|${command[1]}`.toLowerCase());
  chosen!.handler(client);
  decoder.feed(Buffer.from(reply.buffer.slice(0, reply.position)));
  reply.position = 0;
  const result = decoder.take();
  if (result === null) throw new Error(`no whole reply to ${String(command[0])}`);
  return result;
}

/** As run(), with the reply as plain JavaScript. */
export function call(...command: Arg[]): Plain {
  return plain(run(...command));
}
