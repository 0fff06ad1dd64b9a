// The addresses the server listens on: `port`, `bind`, `unixsocket`.
import type { ReactorHandle } from '../native/index.js';
import { runtime } from './runtime.js';

export interface Listeners {
  /** Listens on the configured TCP addresses in place of the old ones; null, or why it cannot: then
   *  it listens on none, and the caller comes again with the addresses of before. */
  reopen(): string | null;
}

/** Opens all configured addresses. Throws with a message for the user when one cannot be had. */
export function openListeners(
  reactor: ReactorHandle,
  noteUnix: (listener: number) => void,
): Listeners {
  const { config } = runtime;
  let tcp = openTcp(reactor);
  let openBind = config.bind;
  if (config.unixsocket !== '') {
    const mode = config.unixsocketperm === 0 ? null : config.unixsocketperm;
    noteUnix(reactor.listenUnix(config.unixsocket, mode, config.tcpBacklog).listener);
  }
  return {
    reopen(): string | null {
      // The old ones go first: an address may not be listened on twice, nor with and without `*`.
      for (const listener of tcp) reactor.closeListener(listener);
      tcp = [];
      try {
        tcp = openTcp(reactor);
        openBind = config.bind;
        return null;
      } catch {
        return config.bind === openBind
          ? 'Unable to listen on this port. Check server logs.'
          : 'Failed to bind to specified addresses.';
      }
    },
  };
}

/** An address with '-' in front may be missing; with any other failure all are closed again. */
function openTcp(reactor: ReactorHandle): number[] {
  const { config, log } = runtime;
  const opened: number[] = [];
  if (config.port === 0) return opened;
  for (const word of config.bind) {
    const optional = word.startsWith('-');
    const host = optional ? word.slice(1) : word;
    try {
      opened.push(reactor.listenTcp(addressOf(host), config.port, config.tcpBacklog).listener);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (optional && !/in use/.test(reason)) continue;
      for (const listener of opened) reactor.closeListener(listener);
      log.warning(`Could not listen: ${reason}`);
      throw error;
    }
  }
  return opened;
}

/** `*` is every IPv4 address, `::*` every IPv6 address, as in redis.conf. */
function addressOf(word: string): string {
  if (word === '*') return '0.0.0.0';
  return word === '::*' ? '::' : word;
}
