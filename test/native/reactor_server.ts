// A server on the reactor for its tests: answers with what `respond` makes of the bytes that came,
// and remembers what happened. The loop is the one that real servers run (native/index.ts).
import {
  EVENT_ACCEPTED,
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_DRAINED,
  EVENT_FIELDS,
  native,
  type ReactorHandle,
} from '../../native/index.js';

export interface Happening {
  readonly connection: number;
  readonly kind: number;
  /** Listener of EVENT_ACCEPTED, errno of EVENT_CLOSED. */
  readonly value: number;
}

export interface ReactorServerOptions {
  readonly inputBytes?: number;
  readonly outputBytes?: number;
  readonly readBytesMax?: number;
  /** The reply to bytes of a connection; echo when absent. */
  readonly respond?: (bytes: Buffer, connection: number) => Buffer;
}

export class ReactorServer {
  readonly reactor: ReactorHandle;
  readonly happenings: Happening[] = [];
  readyCount = 0;
  private outputUsed = 0;
  private sendCount = 0;
  private readonly respond: (bytes: Buffer, connection: number) => Buffer;
  private readonly waiting: { kind: number; resolve: (happening: Happening) => void }[] = [];

  constructor(options: ReactorServerOptions = {}) {
    this.respond = options.respond ?? ((bytes) => bytes);
    this.reactor = native.createReactor({
      onReady: () => this.onReady(),
      inputBytes: options.inputBytes ?? 1 << 20,
      outputBytes: options.outputBytes ?? 1 << 20,
      readBytesMax: options.readBytesMax ?? 1 << 16,
    });
  }

  listen(): number {
    return this.reactor.listenTcp('127.0.0.1', 0, 511).port;
  }

  /** The next event of this kind that has not happened yet. */
  next(kind: number): Promise<Happening> {
    return new Promise((resolve) => this.waiting.push({ kind, resolve }));
  }

  count(kind: number): number {
    return this.happenings.filter((each) => each.kind === kind).length;
  }

  private onReady(): void {
    this.readyCount++;
    const { reactor } = this;
    const { events } = reactor;
    const started = performance.now();
    let count: number;
    do {
      count = reactor.turn(this.sendCount);
      this.outputUsed = this.sendCount = 0;
      for (let row = 0; row < count * EVENT_FIELDS; row += EVENT_FIELDS) {
        this.handle(events[row]!, events[row + 1]!, events[row + 2]!, events[row + 3]!);
      }
    } while (count > 0 && performance.now() - started < 1);
    this.flush();
  }

  private handle(connection: number, kind: number, first: number, second: number): void {
    if (kind === EVENT_DATA) {
      const bytes = Buffer.from(this.reactor.input.slice(first, first + second));
      this.reply(connection, this.respond(bytes, connection));
      return;
    }
    if (kind !== EVENT_ACCEPTED && kind !== EVENT_CLOSED && kind !== EVENT_DRAINED) {
      throw new Error(`unknown event ${kind}`);
    }
    const happening = { connection, kind, value: first };
    this.happenings.push(happening);
    const index = this.waiting.findIndex((each) => each.kind === kind);
    if (index >= 0) this.waiting.splice(index, 1)[0]!.resolve(happening);
  }

  private reply(connection: number, bytes: Buffer): void {
    const { output, sends } = this.reactor;
    if (bytes.length === 0) return;
    if (bytes.length > output.length - this.outputUsed || this.sendCount * 3 === sends.length) {
      this.flush();
    }
    if (bytes.length > output.length) {
      this.reactor.send(connection, bytes, 0, bytes.length);
      return;
    }
    output.set(bytes, this.outputUsed);
    sends.set([connection, this.outputUsed, bytes.length], this.sendCount++ * 3);
    this.outputUsed += bytes.length;
  }

  private flush(): void {
    this.reactor.flush(this.sendCount);
    this.outputUsed = this.sendCount = 0;
  }
}
