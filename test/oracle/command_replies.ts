// Compares what COMMAND says of the commands that both servers have. Redis has more commands than
// Stillframe, and lists them in the order of a hash table; what it says of one command must agree.
import { fields, type Reply, show } from '../support/reply.js';
import { COMMANDS, SUBCOMMANDS } from './command_list.js';

/** These take an argument more than in Redis 7.0, as in 7.2: WITHSCORE. */
const NEWER = new Set(['zrank', 'zrevrank']);

const ours = new Set(
  COMMANDS.flatMap((name) => [
    name.toLowerCase(),
    ...(SUBCOMMANDS[name] ?? []).map((sub) => `${name}|${sub}`.toLowerCase()),
  ]),
);

/** A reply whose lists of words are sorted, for sets that RESP2 shows as arrays. */
function unordered(reply: Reply): string {
  if (reply.items.length === 0) return show(reply);
  return `${reply.type}[${reply.items.map(unordered).sort().join(', ')}]`;
}

/** One entry of COMMAND INFO: name, arity, flags, first key, last key, step, ACL categories, tips,
 *  key specifications, subcommands (those that Stillframe has). */
function entry(reply: Reply): string {
  if (reply.type !== 'array') return show(reply);
  return reply.items
    .map((item, i) => {
      if (i < 9) return i === 2 || i === 6 ? unordered(item) : show(item);
      const known = item.items.filter((sub) => ours.has(sub.items[0]?.text ?? ''));
      return known.map(entry).sort().join('\n  ');
    })
    .join(' ');
}

/** COMMAND and COMMAND INFO. */
export function sameCommandEntries(expected: Reply, actual: Reply): boolean {
  if (expected.type !== actual.type) return false;
  const known = (reply: Reply): string =>
    reply.items
      .filter((item) => item.type === 'array' && ours.has(item.items[0]?.text ?? ''))
      .filter((item) => !NEWER.has(item.items[0]?.text ?? ''))
      .map(entry)
      .sort()
      .join('\n');
  return known(expected) === known(actual);
}

/** COMMAND LIST: of the names that Stillframe is to have, the same ones. */
export function sameCommandNames(expected: Reply, actual: Reply): boolean {
  const known = (reply: Reply): string =>
    reply.items
      .map((item) => item.text)
      .filter((name) => ours.has(name))
      .sort()
      .join();
  return expected.type === actual.type && known(expected) === known(actual);
}

/** COMMAND DOCS: the facts (since, group, arguments, subcommands); the prose is our own. */
export function sameCommandDocs(expected: Reply, actual: Reply): boolean {
  return expected.type === actual.type && docs(expected) === docs(actual);
}

const PROSE = new Set([
  'summary',
  'complexity',
  'history',
  'doc_flags',
  'deprecated_since',
  'replaced_by',
]);

function docs(reply: Reply): string {
  return [...fields(reply)]
    .filter(([name]) => ours.has(name) && !NEWER.has(name))
    .map(([name, doc]) => {
      const facts = [...fields(doc)]
        .filter(([field]) => !PROSE.has(field))
        .map(([field, value]) =>
          field === 'subcommands' ? docs(value) : `${field} ${show(value)}`,
        );
      return `${name}: ${facts.join('; ')}`;
    })
    .sort()
    .join('\n');
}
