// Replies of a RESP2/RESP3 server as data, for tests: nothing is lost (an error is a value, the
// wire type is kept, integers keep all their digits) and nothing is thrown.
//
// Strings are binary: each char code of `text` is one byte of the wire (latin1).

export type ReplyType =
  | 'simple' // +
  | 'error' // - or !
  | 'integer' // :
  | 'bulk' // $
  | 'null' // _ or $-1
  | 'null-array' // *-1
  | 'array' // *
  | 'map' // %   items: key, value, key, value ...
  | 'set' // ~
  | 'push' // >
  | 'attribute' // |   items: key, value, ..., and last the reply that it belongs to
  | 'double' // ,
  | 'boolean' // #
  | 'bignum' // (
  | 'verbatim'; // =

export interface Reply {
  readonly type: ReplyType;
  readonly text: string;
  readonly items: readonly Reply[];
}

/** A reply as plain JavaScript, for tests of one server: see plain(). */
export type Plain = string | number | bigint | boolean | null | ReplyError | Plain[];

/** An error reply as a value. */
export class ReplyError {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

/** Strings (binary), numbers (bigint when beyond 2^53), null, booleans, ReplyError and arrays;
 *  maps become flat arrays of key, value, ... as RESP2 would send them. */
export function plain(reply: Reply): Plain {
  switch (reply.type) {
    case 'error':
      return new ReplyError(reply.text);
    case 'integer': {
      const value = Number(reply.text);
      return Number.isSafeInteger(value) ? value : BigInt(reply.text);
    }
    case 'null':
    case 'null-array':
      return null;
    case 'array':
    case 'map':
    case 'set':
    case 'push':
    case 'attribute':
      return reply.items.map(plain);
    case 'double':
      return Number(reply.text);
    case 'boolean':
      return reply.text === 't';
    case 'verbatim':
      return reply.text.slice(4);
    default:
      return reply.text;
  }
}

/** One line of printable text that is equal exactly when two replies are equal on the wire. */
export function show(reply: Reply, limit = Number.POSITIVE_INFINITY): string {
  let text: string;
  if (reply.items.length > 0 || isAggregate(reply.type)) {
    text = `${reply.type}[${reply.items.map((item) => show(item)).join(', ')}]`;
  } else if (reply.type === 'null' || reply.type === 'null-array') {
    text = reply.type;
  } else {
    text = `${reply.type} ${quote(reply.text)}`;
  }
  return text.length > limit ? `${text.slice(0, limit)}... (${text.length} characters)` : text;
}

const AGGREGATES: ReadonlySet<ReplyType> = new Set(['array', 'map', 'set', 'push', 'attribute']);

export function isAggregate(type: ReplyType): boolean {
  return AGGREGATES.has(type);
}

/** A binary string in double quotes with redis-cli's escapes, so it can be pasted into redis-cli. */
export function quote(text: string): string {
  let result = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22 || code === 0x5c) result += `\\${text[i]}`;
    else if (code >= 0x20 && code < 0x7f) result += text[i];
    else result += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return `${result}"`;
}

/** The fields of a map reply, or of a flat RESP2 array of names and values. */
export function fields(reply: Reply): Map<string, Reply> {
  const result = new Map<string, Reply>();
  for (let i = 0; i + 1 < reply.items.length; i += 2) {
    result.set((reply.items[i] as Reply).text, reply.items[i + 1] as Reply);
  }
  return result;
}

const EMPTY: readonly Reply[] = [];
const INCOMPLETE = -1;

/** Incremental decoder. Feed bytes, take replies; a protocol violation throws, because then the
 *  server under test is broken and nothing after it can be trusted. */
export class ReplyDecoder {
  private buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;
  /** A long bulk that is not complete need not be looked at again before this many bytes. */
  private wantedEnd = 0;
  private at = 0;

  feed(chunk: Buffer): void {
    if (this.end + chunk.length > this.buffer.length) this.makeRoom(chunk.length);
    chunk.copy(this.buffer, this.end);
    this.end += chunk.length;
  }

  /** The next whole reply, or null when more bytes are needed. */
  take(): Reply | null {
    if (this.start === this.end || this.end < this.wantedEnd) return null;
    this.wantedEnd = 0;
    this.at = this.start;
    const reply = this.parse();
    if (reply === null) return null;
    this.start = this.at;
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
    }
    return reply;
  }

  /** Bytes that have arrived and belong to no whole reply yet. */
  get pendingBytes(): number {
    return this.end - this.start;
  }

  private makeRoom(bytes: number): void {
    const pending = this.end - this.start;
    const size = Math.max(65536, (pending + bytes) * 2);
    const target = size > this.buffer.length ? Buffer.allocUnsafe(size) : this.buffer;
    this.buffer.copy(target, 0, this.start, this.end);
    if (this.wantedEnd > 0) this.wantedEnd -= this.start;
    this.buffer = target;
    this.start = 0;
    this.end = pending;
  }

  private line(): number {
    const newline = this.buffer.indexOf(10, this.at);
    return newline === -1 || newline >= this.end ? INCOMPLETE : newline;
  }

  private parse(): Reply | null {
    const newline = this.line();
    if (newline === INCOMPLETE) return null;
    if (this.buffer[newline - 1] !== 13) throw this.violation('a line does not end in CR LF');
    const kind = String.fromCharCode(this.buffer[this.at] as number);
    const text = this.buffer.toString('latin1', this.at + 1, newline - 1);
    this.at = newline + 1;
    switch (kind) {
      case '+':
        return { type: 'simple', text, items: EMPTY };
      case '-':
        return { type: 'error', text, items: EMPTY };
      case ':':
        return { type: 'integer', text, items: EMPTY };
      case ',':
        return { type: 'double', text, items: EMPTY };
      case '#':
        return { type: 'boolean', text, items: EMPTY };
      case '(':
        return { type: 'bignum', text, items: EMPTY };
      case '_':
        return { type: 'null', text: '', items: EMPTY };
      case '$':
        return this.bulk('bulk', text);
      case '=':
        return this.bulk('verbatim', text);
      case '!':
        return this.bulk('error', text);
      case '*':
        return this.aggregate('array', text, 1);
      case '%':
        return this.aggregate('map', text, 2);
      case '~':
        return this.aggregate('set', text, 1);
      case '>':
        return this.aggregate('push', text, 1);
      case '|': {
        const attributes = this.aggregate('attribute', text, 2);
        const reply = attributes && this.parse();
        return reply && { type: 'attribute', text: '', items: [...attributes.items, reply] };
      }
      default:
        throw this.violation(`unknown reply type ${quote(kind)} before ${quote(text)}`);
    }
  }

  private bulk(type: ReplyType, header: string): Reply | null {
    const length = this.length(header);
    if (length === -1) return { type: 'null', text: '', items: EMPTY };
    const after = this.at + length + 2;
    if (after > this.end) {
      this.wantedEnd = after;
      return null;
    }
    if (this.buffer[after - 2] !== 13 || this.buffer[after - 1] !== 10) {
      throw this.violation(`a bulk of ${length} bytes does not end in CR LF`);
    }
    const text = this.buffer.toString('latin1', this.at, after - 2);
    this.at = after;
    return { type, text, items: EMPTY };
  }

  private aggregate(type: ReplyType, header: string, perItem: number): Reply | null {
    const count = this.length(header);
    if (count === -1) return { type: 'null-array', text: '', items: EMPTY };
    const items: Reply[] = [];
    for (let i = 0; i < count * perItem; i++) {
      const item = this.parse();
      if (item === null) return null;
      items.push(item);
    }
    return { type, text: '', items };
  }

  private length(header: string): number {
    if (!/^(-1|\d+)$/.test(header)) throw this.violation(`bad length ${quote(header)}`);
    return Number(header);
  }

  private violation(what: string): Error {
    const from = Math.max(this.start, this.at - 40);
    const context = quote(this.buffer.toString('latin1', from, Math.min(this.end, this.at + 40)));
    return new Error(`the server broke the protocol: ${what}; bytes around: ${context}`);
  }
}
