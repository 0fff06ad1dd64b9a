// Fields of Redis's INFO that Stillframe does not have, with the reason; all others must be there.

const missing: readonly (readonly [RegExp, string])[] = [
  [/^redis_git_|^redis_build_id$/, 'built from a package, the version says it'],
];

/** The reason why a field of Redis may be missing, or null when it may not. */
export function missingInfoFields(name: string): string | null {
  return missing.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** The part of a value that must be equal: times and averages belong to the process. */
export function ownInfoValues(value: string | undefined): string {
  return (value ?? '(missing)').replace(/(usec|usec_per_call|avg_ttl)=[\d.]+/g, '$1=');
}
