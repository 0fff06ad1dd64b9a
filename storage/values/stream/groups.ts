// What a stream asks of its consumer groups, which stand above it: they read entries, the stream knows only that
// one word of its root block refers to what they own. Nothing is asked for a stream without groups.
import { NULL_REF, type Ref } from '../../memory/layout.js';
import type { Owners } from '../../structures/entries.js';

export interface GroupRules {
  /**
   * Frees up to `limit` parts of the groups of a stream that is gone. Returns how many: fewer than `limit` when
   * nothing is left, `groups` itself included. In between only verifyFreeing() looks at them. May run while
   * another command waits for memory (retired.ts).
   */
  freeSome(groups: Ref, limit: number): number;
  /** Shows what freeSome() has left to the walk over the heap. */
  verifyFreeing(groups: Ref, owners: Owners): void;
  /** A copy of all groups; NULL_REF: the arena is full. */
  duplicate(groups: Ref): Ref;
  /** Proves the groups of a stream's root block and shows their objects to the walk over the heap. */
  verify(groups: Ref, owners: Owners, block: Ref): void;
  /** Bytes that the groups own; about, where they are many. */
  memoryBytes(groups: Ref): number;
  /** How many parts freeSome() will find: more than a few hundred are freed in steps. */
  parts(groups: Ref): number;
}

let rules: GroupRules | null = null;

/** Tells what consumer groups are. Once, when their module is loaded. */
export function registerGroups(groupRules: GroupRules): void {
  if (rules !== null) throw new Error('the rules of consumer groups are registered already');
  rules = groupRules;
}

/** The rules, for a stream that has groups. */
export function groupRules(groups: Ref): GroupRules {
  if (groups === NULL_REF) throw new Error('a stream without groups has no rules for them');
  if (rules === null) {
    throw new Error(
      `heap corruption: a stream has groups at ref ${groups >>> 0}, which nobody knows`,
    );
  }
  return rules;
}
