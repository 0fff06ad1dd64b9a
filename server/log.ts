// The server's log, in Redis's line format:
//
//   1234:M 23 Nov 2026 09:54:00.123 * Ready to accept connections
//   pid:role day month year time    level (. debug, - verbose, * notice, # warning)
//
// Lines are written at once and synchronously, so what was logged is there after a crash. A file is
// opened for every line, as Redis does: lines are rare, and a rotated or full disk heals by itself.
// Logging never throws; what cannot be written is counted in `linesLost`.
import { closeSync, openSync, writeSync } from 'node:fs';
import { ConfigError, systemReason } from './config/config_error.js';
import type { ServerConfig } from './config/config_table.js';

export type LogLevel = ServerConfig['loglevel'];

const LEVELS: Readonly<Record<LogLevel, { readonly rank: number; readonly mark: string }>> = {
  debug: { rank: 0, mark: '.' },
  verbose: { rank: 1, mark: '-' },
  notice: { rank: 2, mark: '*' },
  warning: { rank: 3, mark: '#' },
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Longest message in characters; what is longer is cut. */
export const MESSAGE_LENGTH_MAX = 4096;

/** How often a line is tried again on a standard output that is a full pipe. */
const WRITE_ATTEMPTS = 3;

export class Log {
  /** Lines that could be written nowhere. */
  linesLost = 0;
  private readonly path: string;
  private level: LogLevel;
  private rank: number;

  /** `path` '' is standard output. See openLog for a check of the path. */
  constructor(path: string, level: LogLevel) {
    this.path = path;
    this.level = level;
    this.rank = LEVELS[level].rank;
  }

  /** The least important level that is written. */
  setLevel(level: LogLevel): void {
    this.level = level;
    this.rank = LEVELS[level].rank;
  }

  getLevel(): LogLevel {
    return this.level;
  }

  /** Whether lines of the level are written, for messages that are costly to make. */
  writes(level: LogLevel): boolean {
    return LEVELS[level].rank >= this.rank;
  }

  debug(message: string): void {
    this.write('debug', message);
  }

  verbose(message: string): void {
    this.write('verbose', message);
  }

  notice(message: string): void {
    this.write('notice', message);
  }

  warning(message: string): void {
    this.write('warning', message);
  }

  /** Where lines go now, for messages of the native side; closeDescriptor() when no longer needed. */
  openDescriptor(): number {
    return this.path === '' ? 1 : openSync(this.path, 'a', 0o644);
  }

  closeDescriptor(descriptor: number): void {
    if (this.path !== '') closeSync(descriptor);
  }

  private write(level: LogLevel, message: string): void {
    if (!this.writes(level)) return;
    const line = formatLine(process.pid, new Date(), level, message);
    if (!(this.path === '' ? writeOut(line) : appendLine(this.path, line))) this.linesLost++;
  }
}

/** The log that the configuration asks for. Throws ConfigError when its file cannot be opened. */
export function openLog(config: Pick<ServerConfig, 'logfile' | 'loglevel'>): Log {
  if (config.logfile !== '') {
    try {
      closeSync(openSync(config.logfile, 'a', 0o644));
    } catch (error) {
      throw new ConfigError(
        `'logfile ${config.logfile}': cannot open the log file: ${systemReason(error)}`,
      );
    }
  }
  return new Log(config.logfile, config.loglevel);
}

/** One line of the log with its line end; the time is local time. */
export function formatLine(pid: number, time: Date, level: LogLevel, message: string): string {
  const date = `${two(time.getDate())} ${MONTHS[time.getMonth()]} ${time.getFullYear()}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const millis = String(time.getMilliseconds()).padStart(3, '0');
  return `${pid}:M ${date} ${clock}.${millis} ${LEVELS[level].mark} ${onOneLine(message)}\n`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Control characters as escapes: no message can forge a second line or move a terminal. */
function onOneLine(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  return message.slice(0, MESSAGE_LENGTH_MAX).replace(/[\u0000-\u001f\u007f]/g, (character) => {
    if (character === '\n') return '\\n';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function appendLine(path: string, line: string): boolean {
  try {
    const file = openSync(path, 'a', 0o644);
    try {
      writeSync(file, line);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    return false;
  }
}

/** Writes to standard output, which may be a pipe that another process made non-blocking. */
function writeOut(line: string): boolean {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    try {
      writeSync(1, line);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
    }
  }
  return false;
}
