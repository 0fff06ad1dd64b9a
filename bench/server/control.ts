// One connection to a server under measurement for commands in between: INFO, BGSAVE, CONFIG. Replies
// are simple strings, integers, bulk strings; an error reply rejects.
import { connect, type Socket } from 'node:net';

/** Fields of INFO, as text. */
export type Info = Readonly<Record<string, string>>;

export class Control {
  private input = Buffer.alloc(0);
  private readonly waiting: {
    resolve: (text: string) => void;
    reject: (error: Error) => void;
  }[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.input = Buffer.concat([this.input, chunk]);
      while (this.takeReply());
    });
    const fail = (error?: Error): void => {
      for (const one of this.waiting.splice(0)) {
        one.reject(error ?? new Error('the server closed the connection'));
      }
    };
    socket.on('error', fail);
    socket.on('close', () => fail());
  }

  static open(port: number): Promise<Control> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new Control(socket));
      });
    });
  }

  ask(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
      this.socket.write(`*${args.length}\r\n${parts.join('')}`);
    });
  }

  async info(section: string): Promise<Info> {
    const text = await this.ask('INFO', section);
    const pairs = text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    });
    return Object.fromEntries(pairs) as Info;
  }

  close(): void {
    this.socket.destroy();
  }

  private takeReply(): boolean {
    const lineEnd = this.input.indexOf('\r\n');
    if (lineEnd < 0) return false;
    const line = this.input.toString('latin1', 1, lineEnd);
    const kind = String.fromCharCode(this.input[0] as number);
    let end = lineEnd + 2;
    let text = line;
    if (kind === '$' && line !== '-1') {
      end += Number(line) + 2;
      if (this.input.length < end) return false;
      text = this.input.toString('utf8', lineEnd + 2, end - 2);
    }
    this.input = this.input.subarray(end);
    const asker = this.waiting.shift();
    if (kind === '-') asker?.reject(new Error(line));
    else asker?.resolve(text);
    return true;
  }
}

/** A number in INFO; NaN when the server has no such field. */
export function field(info: Info, name: string): number {
  return Number(info[name] ?? Number.NaN);
}
