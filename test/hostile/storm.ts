// What every hostile test asserts after its storm: the server answers, somebody else's data are as
// they were, and its memory has a bound.
import { expect } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { info, type TestServer, until } from '../support/spawn_server.js';

const PRECIOUS = Array.from(
  { length: 200 },
  (_, i) => [`precious:${i}`, `value ${i} \x00\xff`] as const,
);
/** Of so many that no single damaged byte of a SELECT finds the witness's. */
export const DATABASES = 500;
const DATABASE = 417;

/** A client whose data must survive, in a database that no storm touches by name. Its server has
 *  `--databases DATABASES`. */
export class Witness {
  private constructor(
    private readonly server: TestServer,
    private readonly client: RawClient,
    private readonly rssBefore: number,
  ) {}

  static async watch(server: TestServer): Promise<Witness> {
    const client = await server.connect();
    await client.call('SELECT', DATABASE);
    await client.pipeline(PRECIOUS.map(([key, value]) => ['SET', key, value]));
    return new Witness(server, client, server.rssBytes());
  }

  /** Milliseconds that a PING takes at present. */
  async pingMillis(): Promise<number> {
    const started = performance.now();
    expect(await this.client.call('PING')).toBe('PONG');
    return performance.now() - started;
  }

  /** The whole assertion. `growthMax` bounds what the process may have grown, in bytes. */
  async testify(growthMax: number): Promise<void> {
    expect(this.server.exit, this.server.logTail()).toBeNull();
    expect(await this.client.call('PING')).toBe('PONG');
    const values = await this.client.pipeline(PRECIOUS.map(([key]) => ['GET', key]));
    expect(values.map(({ text }) => text)).toEqual(PRECIOUS.map(([, value]) => value));
    expect(await this.client.call('DBSIZE')).toBe(PRECIOUS.length);
    await until(
      `memory comes back below ${growthMax} bytes over ${this.rssBefore}; it is ${this.server.rssBytes()}`,
      () => this.server.rssBytes() - this.rssBefore <= growthMax,
    );
  }

  /** Waits until the witness is the only client left. */
  async alone(others = 0): Promise<void> {
    await until('the connections are gone', async () => {
      const fields = await info(this.client, 'clients');
      return Number(fields.get('connected_clients')) <= 1 + others;
    });
  }
}

export const MB = 1 << 20;
