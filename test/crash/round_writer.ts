// Writes round after round of slots as fast as one pipelining connection can, until it is stopped
// or the server is killed; and reads back what a restored server holds.
import { connect, type Socket } from 'node:net';
import type { RawClient } from '../support/raw_client.js';
import { ReplyDecoder } from '../support/reply.js';
import { COUNTER, type Slot } from './slots.js';

const BATCH_BYTES = 128 << 10;
const REPLIES_IN_FLIGHT_MAX = 20_000;

export class RoundWriter {
  /** The last round that was sent whole, and the last one whose replies have all come. */
  sentRound: number;
  answeredRound: number;
  commands = 0;
  failure: string | null = null;
  private readonly decoder = new ReplyDecoder();
  private repliesAwaited = 0;
  private repliesTotal = 0;
  private readonly roundEnds: { round: number; replies: number }[] = [];
  private nextSlot = 0;
  private stopping = false;
  private stopped: (() => void) | null = null;
  private readonly socket: Socket;
  readonly closed: Promise<void>;

  constructor(
    port: number,
    private readonly slots: readonly Slot[],
    firstRound: number,
  ) {
    this.sentRound = firstRound - 1;
    this.answeredRound = firstRound - 1;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('connect', () => this.pump());
    this.socket.on('drain', () => this.pump());
    this.socket.on('data', (chunk: Buffer) => this.receive(chunk));
    this.socket.on('error', () => {}); // the server is killed under it
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => resolve());
    });
  }

  /** Ends after the round being sent and waits for its replies. */
  async stop(): Promise<void> {
    this.stopping = true;
    const answered = new Promise<void>((resolve) => {
      this.stopped = resolve;
      if (this.repliesAwaited === 0 && this.nextSlot === 0) resolve();
    });
    await Promise.race([answered, this.closed]);
    this.socket.destroy();
  }

  private pump(): void {
    while (this.repliesAwaited < REPLIES_IN_FLIGHT_MAX && !this.socket.destroyed) {
      if (this.stopping && this.nextSlot === 0) return;
      if (!this.sendBatch()) return;
    }
  }

  /** One batch, at most to the end of the round. False when the socket has enough. */
  private sendBatch(): boolean {
    const round = this.sentRound + 1;
    let bytes = '';
    while (bytes.length < BATCH_BYTES && this.nextSlot < this.slots.length) {
      const part = (this.slots[this.nextSlot++] as Slot).write(round);
      bytes += part.bytes;
      this.repliesAwaited += part.replies;
      this.repliesTotal += part.replies;
    }
    if (this.nextSlot === this.slots.length) {
      this.nextSlot = 0;
      this.sentRound = round;
      this.roundEnds.push({ round, replies: this.repliesTotal });
    }
    return this.socket.write(bytes, 'latin1');
  }

  private receive(chunk: Buffer): void {
    this.decoder.feed(chunk);
    for (let reply = this.decoder.take(); reply !== null; reply = this.decoder.take()) {
      this.repliesAwaited--;
      this.commands++;
      if (reply.type === 'error') this.failure ??= reply.text;
    }
    const first = this.roundEnds[0];
    if (first !== undefined && this.commands >= first.replies) {
      this.answeredRound = first.round;
      this.roundEnds.shift();
    }
    if (this.stopping && this.repliesAwaited === 0 && this.nextSlot === 0) this.stopped?.();
    else this.pump();
  }
}

/** Brings all slots to the state of a round, whatever they were. */
export async function resetSlots(client: RawClient, slots: readonly Slot[], round: number) {
  for (let from = 0; from < slots.length; from += 500) {
    const parts = slots.slice(from, from + 500).map((slot) => slot.reset(round));
    await client.write(parts.map(({ bytes }) => bytes).join(''));
    const replies = await client.readMany(parts.reduce((sum, part) => sum + part.replies, 0));
    const error = replies.find(({ type }) => type === 'error');
    if (error !== undefined) throw new Error(error.text);
  }
}

/** Which cut a server holds: all slots up to `prefix` at `round`, those after it at `round - 1`.
 *  Throws with the slot that is in neither state, or in the newer one after an older one. */
export async function readCut(client: RawClient, slots: readonly Slot[]) {
  const round = Number(await client.call('GET', COUNTER));
  const states: (readonly (string | null)[])[] = [];
  for (let from = 0; from < slots.length; from += 500) {
    const part = slots.slice(from, from + 500);
    const replies = await client.pipeline(part.flatMap((slot) => slot.ask));
    let at = 0;
    for (const slot of part) {
      states.push(
        slot.ask
          .map(() => replies[at++])
          .map((reply) => (reply?.type === 'null' ? null : (reply?.text ?? ''))),
      );
    }
  }
  let prefix = 0;
  for (const [i, slot] of slots.entries()) {
    const state = states[i] as readonly (string | null)[];
    const newer = same(state, slot.expected(round));
    const older = same(state, slot.expected(round - 1));
    if (newer && i > prefix + 1) {
      throw new Error(`slot ${i} is of round ${round}, but slot ${prefix + 1} before it is older`);
    }
    if (newer) prefix = i;
    else if (!older) throw new Error(`slot ${i} ${explain(state, slot, round)}`);
  }
  return { round, prefix };
}

function same(left: readonly (string | null)[], right: readonly (string | null)[]): boolean {
  return left.length === right.length && left.every((value, i) => value === right[i]);
}

function explain(state: readonly (string | null)[], slot: Slot, round: number): string {
  const show = (values: readonly (string | null)[]): string =>
    values
      .map((value) =>
        value === null ? 'null' : `${JSON.stringify(value.slice(0, 40))} (${value.length})`,
      )
      .join(' ');
  return [
    `(${slot.ask.map((words) => words.join(' ')).join('; ')}) is of neither round ${round} nor ${round - 1}:`,
    `  holds      ${show(state)}`,
    `  round ${round}: ${show(slot.expected(round))}`,
    `  round ${round - 1}: ${show(slot.expected(round - 1))}`,
  ].join('\n');
}
