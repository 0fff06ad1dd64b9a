// Scripted dialogues: the same lines go to both servers, and every reply must agree.
//
//   a: SET k v          send on connection a (opened at first use) and read one reply
//   a~ CLIENT PAUSE 10  send without reading
//   a< 2                read two replies
//   a!                  read replies until the server closes
//   a= \x2a0\r\n        send raw bytes, read one reply
//   a# \x2a0\r\n        send raw bytes, read until the server closes
//   a/                  close from our side
//
// `{id:b}` is the client id of connection b, `{addr:b}` its address as the server sees it,
// `{laddr}` the server's own. Quotes and \x escapes are those of redis-cli.
import { type Command, encode, type RawClient } from '../support/raw_client.js';
import { type Reply, show } from '../support/reply.js';
import type { TestServer } from '../support/spawn_server.js';
import { Agreement } from './agreement.js';
import { commandLine } from './duel.js';
import { agree } from './exceptions.js';

const WAIT_MS = 3000;

interface Said {
  readonly name: string;
  readonly line: string;
  readonly words: readonly string[];
  readonly replies: readonly Reply[];
}

/** Runs a script on both servers; returns the disagreements, as text. */
export async function compareScript(
  redis: TestServer,
  subject: TestServer,
  script: string,
): Promise<string[]> {
  const [expected, actual] = await Promise.all([
    runScript(redis, script),
    runScript(subject, script),
  ]);
  const differences: string[] = [];
  const agreements = new Map<string, Agreement>();
  for (const [i, left] of expected.entries()) {
    const right = actual[i] as Said;
    const agreement = agreements.get(left.name) ?? new Agreement();
    agreements.set(left.name, agreement);
    const same =
      left.replies.length === right.replies.length &&
      left.replies.every((reply, k) => agreement.on(left.words, reply, right.replies[k] as Reply));
    if (same) continue;
    const text = (said: Said): string => said.replies.map((reply) => show(reply, 1500)).join(' | ');
    differences.push(`${left.line}\n  redis: ${text(left)}\n  ${subject.kind}: ${text(right)}`);
  }
  return differences;
}

/** Runs a script on one server and returns what was answered to each line. */
export async function runScript(server: TestServer, script: string): Promise<Said[]> {
  const dialogue = new Dialogue(server);
  const said: Said[] = [];
  for (const raw of script.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('//')) continue;
    said.push(await dialogue.line(line));
  }
  await dialogue.end();
  return said;
}

class Dialogue {
  private readonly clients = new Map<string, RawClient>();
  private readonly ids = new Map<string, string>();
  private current = '';

  constructor(private readonly server: TestServer) {}

  async line(line: string): Promise<Said> {
    this.current = line;
    const match = /^(\w+)([:~<!=#/])\s?(.*)$/.exec(line);
    if (match === null) throw new Error(`not a line of a script: ${line}`);
    const [, name, action, rest] = match as unknown as [string, string, string, string];
    const client = await this.client(name);
    const text = await this.substitute(rest);
    const words = action === ':' || action === '~' ? splitArguments(text) : [];
    const replies = await this.act(client, action, text, words);
    return { name, line, words, replies };
  }

  async end(): Promise<void> {
    for (const client of this.clients.values()) await client.close();
  }

  private async act(
    client: RawClient,
    action: string,
    text: string,
    words: readonly string[],
  ): Promise<Reply[]> {
    switch (action) {
      case ':':
        client.socket.write(encode(words));
        return this.read(client, 1);
      case '~':
        await client.write(encode(words));
        return [];
      case '<':
        return this.read(client, Number(text));
      case '!':
        return this.readUntilClosed(client);
      case '=':
        await client.write(unquote(text));
        return this.read(client, 1);
      case '#':
        await client.write(unquote(text));
        return this.readUntilClosed(client);
      default:
        await client.close();
        return [];
    }
  }

  private async read(client: RawClient, count: number): Promise<Reply[]> {
    const replies: Reply[] = [];
    try {
      while (replies.length < count) replies.push(await client.read(WAIT_MS));
    } catch (error) {
      replies.push(this.remark((error as Error).message));
    }
    return replies;
  }

  private async readUntilClosed(client: RawClient): Promise<Reply[]> {
    try {
      return await client.readUntilClosed(WAIT_MS);
    } catch (error) {
      return [...client.takeReady(), this.remark((error as Error).message)];
    }
  }

  /** What happened in place of a reply. A script that Redis itself does not answer is wrong. */
  private remark(text: string): Reply {
    if (this.server.kind === 'redis' && !text.includes('gone')) {
      throw new Error(`the script is wrong, Redis at '${this.current}': ${text}`);
    }
    return { type: 'error', text: `(${text})`, items: [] };
  }

  private async client(name: string): Promise<RawClient> {
    const known = this.clients.get(name);
    if (known !== undefined) return known;
    const client = await this.server.connect();
    this.clients.set(name, client);
    return client;
  }

  /** Ids are asked for on a connection that is idle, before its own lines need it. */
  private async substitute(text: string): Promise<string> {
    let result = text.replace('{laddr}', `127.0.0.1:${this.server.port}`);
    for (const [whole, what, name] of text.matchAll(/\{(id|addr):(\w+)\}/g)) {
      const client = await this.client(name as string);
      let value = `127.0.0.1:${client.socket.localPort}`;
      if (what === 'id') {
        value = this.ids.get(name as string) ?? String(await client.call('CLIENT', 'ID'));
        this.ids.set(name as string, value);
      }
      result = result.replace(whole, value);
    }
    return result;
  }
}

/** Splits a line as redis-cli does: double quotes with escapes, single quotes, spaces. */
export function splitArguments(line: string): string[] {
  const words: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+)/g;
  for (const [, double, single, bare] of line.matchAll(pattern)) {
    words.push(double !== undefined ? unquote(double) : (single ?? bare ?? ''));
  }
  return words;
}

function unquote(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const named: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
    return named[code] ?? code;
  });
}

/** Sends each command on its own after `before` commands on a fresh state, and compares. The
 *  connection is RESET after each, so no command finds what another left behind. */
export async function compareEach(
  redis: TestServer,
  subject: TestServer,
  commands: readonly Command[],
  before: readonly Command[],
): Promise<string[]> {
  const chunk = 50;
  const differences: string[] = [];
  const clients = [await redis.connect(), await subject.connect()] as const;
  for (let from = 0; from < commands.length; from += chunk) {
    const some = commands.slice(from, from + chunk);
    const batch = some.flatMap((command) => [...before, command, ['RESET']]);
    const [expected, actual] = await Promise.all(clients.map((client) => client.pipeline(batch)));
    for (const [i, command] of some.entries()) {
      const at = i * (before.length + 2) + before.length;
      const left = expected?.[at] as Reply;
      const right = actual?.[at] as Reply;
      const words = command.slice(0, 3).map(String);
      if (!agree(left, right, words)) {
        const line = commandLine(command).slice(0, 300);
        differences.push(
          `${line}\n  redis: ${show(left, 600)}\n  ${subject.kind}: ${show(right, 600)}`,
        );
      }
    }
  }
  for (const client of clients) await client.close();
  return differences;
}
