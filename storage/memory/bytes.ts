// Copying bytes between views. Small copies are loops that the compiler keeps in registers; a
// subarray per copy would cost more than the copy itself.

const LOOP_BYTES_MAX = 96;

/** Copies length bytes; the ranges must not overlap unless the views differ. */
export function copyBytes(
  target: Uint8Array,
  targetOffset: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
): void {
  if (length <= LOOP_BYTES_MAX) {
    for (let i = 0; i < length; i++) target[targetOffset + i] = source[sourceOffset + i]!;
    return;
  }
  target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
}
