// CONFIG GET: options that match patterns, printed as Redis prints them.
import { findOption, OPTIONS_BY_NAME, type Option, type ServerConfig } from './config_table.js';
import { matchesGlob } from './glob.js';
import { readField } from './load_config.js';

/** The value of an option as CONFIG GET shows it: sizes in bytes, 'yes' or 'no', lists in one. */
export function printOption(config: ServerConfig, option: Option): string {
  return option.type.print(readField(config, option));
}

/**
 * The reply of CONFIG GET: names and values in turn. A pattern without wild cards is a name, or
 * nothing, and is repeated in the letter case in which it was asked for; every name appears once.
 * Redis gives no order; here names are in that of the patterns, and of the option table within.
 */
export function getOptions(config: ServerConfig, patterns: readonly string[]): string[] {
  const found = new Map<string, { name: string; option: Option }>();
  for (const pattern of patterns) {
    const lower = pattern.toLowerCase();
    if (!/[*?[]/.test(pattern)) {
      const option = findOption(lower);
      if (option !== null && !found.has(lower)) found.set(lower, { name: pattern, option });
      continue;
    }
    for (const [name, option] of OPTIONS_BY_NAME) {
      if (!found.has(name) && matchesGlob(lower, name)) found.set(name, { name, option });
    }
  }
  return [...found.values()].flatMap(({ name, option }) => [name, printOption(config, option)]);
}
