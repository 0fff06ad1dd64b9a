// Two servers, Redis and the subject, that get the same requests at the same time; finds the
// first reply on which they disagree.
//
// A stream is cut into episodes: each begins with empty databases and fresh connections, so an
// episode is replayed alone, and into batches: some commands pipelined on one connection. Only
// one connection is in use at a time, so the order of commands is the same on both sides.
import { type Arg, argBytes, type Command, type RawClient } from '../support/raw_client.js';
import { quote, type Reply, show } from '../support/reply.js';
import { type ServerKind, spawnServer, type TestServer } from '../support/spawn_server.js';
import { Agreement } from './agreement.js';

/** A command on one of the connections of an episode. */
export interface Step {
  readonly connection: number;
  readonly command: Command;
}

export interface Mismatch {
  /** Position in the steps of the episode. */
  readonly index: number;
  readonly step: Step;
  readonly expected: string;
  readonly actual: string;
}

export interface DuelOptions {
  /** Arguments for both servers, such as `--maxmemory-policy allkeys-lfu`. */
  readonly args?: readonly string[];
}

const REPLY_LIMIT = 2000;
const LOST: Reply = { type: 'error', text: '(no reply: connection lost)', items: [] };

class Side {
  clients: RawClient[] = [];

  constructor(
    readonly kind: ServerKind,
    readonly args: readonly string[],
    public server: TestServer,
  ) {}

  static async start(kind: ServerKind, args: readonly string[]): Promise<Side> {
    return new Side(kind, args, await spawnServer({ kind, args }));
  }

  /** Empty databases, `protocols.length` fresh connections; a dead server is started again. */
  async reset(protocols: readonly number[]): Promise<void> {
    if (this.server.exit !== null) {
      await this.server.stop();
      this.server = await spawnServer({ kind: this.kind, args: this.args });
    }
    await Promise.all(this.clients.map((client) => client.close()));
    this.clients = await Promise.all(protocols.map(() => this.server.connect()));
    for (const [i, client] of this.clients.entries()) {
      await client.call('HELLO', protocols[i] as number);
    }
    await this.clients[0]?.call('FLUSHALL');
  }

  /** Replies to a batch; when the connection is lost half-way, the rest are LOST. */
  async send(connection: number, commands: readonly Command[]): Promise<Reply[]> {
    const client = this.clients[connection] as RawClient;
    try {
      return await client.pipeline(commands);
    } catch (error) {
      const replies = client.takeReady();
      const text = `(no reply: ${(error as Error).message})`;
      if (replies.length < commands.length) replies.push({ ...LOST, text });
      while (replies.length < commands.length) replies.push(LOST);
      await client.close();
      return replies;
    }
  }
}

export class Duel {
  private agreements: Agreement[] = [];

  private constructor(
    readonly redis: Side,
    readonly subject: Side,
  ) {}

  static async start(subject: ServerKind, options: DuelOptions = {}): Promise<Duel> {
    const args = options.args ?? [];
    const redis = await Side.start('redis', args);
    try {
      return new Duel(redis, await Side.start(subject, args));
    } catch (error) {
      await redis.server.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.redis.server.stop();
    await this.subject.server.stop();
  }

  async reset(protocols: readonly number[]): Promise<void> {
    this.agreements = protocols.map(() => new Agreement());
    await Promise.all([this.redis.reset(protocols), this.subject.reset(protocols)]);
  }

  /** Sends commands on one connection to both; returns the first disagreement. */
  async batch(
    connection: number,
    commands: readonly Command[],
    base = 0,
  ): Promise<Mismatch | null> {
    const [expected, actual] = await Promise.all([
      this.redis.send(connection, commands),
      this.subject.send(connection, commands),
    ]);
    const agreement = this.agreements[connection] as Agreement;
    for (let i = 0; i < commands.length; i++) {
      const command = commands[i] as Command;
      const left = expected[i] as Reply;
      const right = actual[i] as Reply;
      if (!agreement.on(wordsOf(command), left, right)) {
        return {
          index: base + i,
          step: { connection, command },
          expected: show(left, REPLY_LIMIT),
          actual: show(right, REPLY_LIMIT),
        };
      }
    }
    return null;
  }

  /** Runs steps from empty databases; returns the first disagreement. */
  async replay(protocols: readonly number[], steps: readonly Step[]): Promise<Mismatch | null> {
    await this.reset(protocols);
    for (let from = 0; from < steps.length; ) {
      const connection = (steps[from] as Step).connection;
      let to = from + 1;
      while (to < steps.length && steps[to]?.connection === connection) to++;
      const commands = steps.slice(from, to).map(({ command }) => command);
      const mismatch = await this.batch(connection, commands, from);
      if (mismatch !== null) return mismatch;
      from = to;
    }
    return null;
  }
}

/** The first arguments as text, enough to know the command. */
function wordsOf(command: Command): string[] {
  return command.slice(0, 3).map((arg) => argBytes(arg).toString('latin1'));
}

/** A command as a line that redis-cli accepts. */
export function commandLine(command: Command): string {
  return command
    .map((arg: Arg) => {
      const text = argBytes(arg).toString('latin1');
      return /^[\w.:#*+-]+$/.test(text) ? text : quote(text);
    })
    .join(' ');
}
