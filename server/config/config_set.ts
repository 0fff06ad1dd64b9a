// CONFIG SET: several options at once, all or none, with the error texts of Redis 7.0.
import { configSetFailed, configUnknownOption } from '../../protocol/error_replies.js';
import { type ApplyKey, findOption, type Option, type ServerConfig } from './config_table.js';
import { argumentsOf, readField, writeField } from './load_config.js';
import { InvalidValue } from './option_types.js';

/**
 * Called after the fields have changed, once per key and CONFIG SET. Returns null, or why it cannot
 * be done, as a text for the client; then the fields are set back and the hooks that ran run again.
 */
export type ConfigHooks = Readonly<Record<ApplyKey, (config: ServerConfig) => string | null>>;

interface Change {
  readonly option: Option;
  readonly text: string;
  readonly before: unknown;
}

/**
 * Sets the options of `pairs` (name, value, name, value, ...; at least one pair).
 * @returns null when all are set, else the error reply, beginning with 'ERR '; nothing has changed.
 */
export function setOptions(
  config: ServerConfig,
  pairs: readonly string[],
  hooks: ConfigHooks,
): string | null {
  if (pairs.length % 2 !== 0) return 'ERR syntax error';
  const changes: Change[] = [];
  const refusal = collectChanges(config, pairs, changes);
  if (refusal !== null) return refusal;

  for (const change of changes) {
    const reason = setField(config, change);
    if (reason !== null) {
      restoreFields(config, changes);
      return configSetFailed(change.option.name, reason);
    }
  }
  return applyChanges(config, changes, hooks);
}

/** Fills `changes`, or returns the error of the first option that cannot be changed. */
function collectChanges(
  config: ServerConfig,
  pairs: readonly string[],
  changes: Change[],
): string | null {
  for (let index = 0; index < pairs.length; index += 2) {
    const name = pairs[index]!;
    const option = findOption(name);
    if (option === null) {
      return configUnknownOption(name);
    }
    const reason = whyNotChangeable(option, changes);
    if (reason !== null) return configSetFailed(name, reason);
    changes.push({ option, text: pairs[index + 1]!, before: readField(config, option) });
  }
  return null;
}

function whyNotChangeable(option: Option, changes: readonly Change[]): string | null {
  if (option.changes === 'at start') return "can't set immutable config";
  if (option.changes === 'protected') return "can't set protected config";
  return changes.some((change) => change.option === option) ? 'duplicate parameter' : null;
}

/** Writes one field; returns null, or why the value is refused. */
function setField(config: ServerConfig, change: Change): string | null {
  const { option, text, before } = change;
  // Clients send bytes; what was not UTF-8 arrives here with replacement characters.
  if (text.includes('\ufffd')) return 'argument must be UTF-8 text';
  const args = argumentsOf(option, [text]) ?? [];
  try {
    writeField(config, option, option.type.parse(args, option.type.blank ?? before));
    return null;
  } catch (error) {
    if (error instanceof InvalidValue) return error.message;
    throw error;
  }
}

function restoreFields(config: ServerConfig, changes: readonly Change[]): void {
  for (const { option, before } of changes) writeField(config, option, before);
}

/** Runs each hook once, in the order of the options; undoes everything when one refuses. */
function applyChanges(
  config: ServerConfig,
  changes: readonly Change[],
  hooks: ConfigHooks,
): string | null {
  const ran = new Set<ApplyKey>();
  for (const { option } of changes) {
    if (option.apply === null || ran.has(option.apply)) continue;
    ran.add(option.apply);
    const reason = hooks[option.apply](config);
    if (reason === null) continue;
    restoreFields(config, changes);
    for (const key of ran) hooks[key](config);
    return configSetFailed(option.name, reason);
  }
  return null;
}
