// The checkpoint file:
//
//   0                 extents at their arena offsets, sparse: absent extents are holes
//   dataBytes         block table: a little-endian u32 CRC32C per 64 KiB block (0 in absent extents)
//   manifestOffset    manifest, msgpack
//   fileBytes - 64    footer:
//
//     0  magic 'STILLEND'      8  format version u32     12  manifest bytes u32
//    16  manifest offset u64  24  manifest CRC32C u32    28  zero
//    32  file bytes u64       40  zero                   60  CRC32C of footer bytes 0..59
//
// Opening checks footer, manifest, versions and sizes before anything is mapped; the manifest has the
// checksum of the block table, which is checked before the first block; blocks as they are read. So
// no byte behind the extents, and no byte of an extent, changes without being noticed. Whoever reads a file here never changes it.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { pack } from 'msgpackr/pack';
import { unpack } from 'msgpackr/unpack';
import { native } from '../../native/index.js';
import {
  EXTENT_BYTES,
  FORMAT_VERSION,
  GRANULE_BYTES,
  PAGE_BYTES,
  WINDOW_BYTES,
} from '../memory/layout.js';

export const FOOTER_BYTES = 64;
const MAGIC = Buffer.from('STILLEND', 'latin1');
const TABLE_BYTES_PER_EXTENT = (EXTENT_BYTES / native.constants.checksumBlockBytes) * 4;
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

/** What a checkpoint says of itself. Sizes in bytes. */
export interface Manifest {
  readonly formatVersion: number;
  readonly granuleBytes: number;
  readonly pageBytes: number;
  readonly extentBytes: number;
  readonly windowBytes: number;
  readonly checksumBlockBytes: number;
  /** Number of this checkpoint; the file is named after it. */
  readonly epoch: number;
  readonly serverVersion: string;
  readonly createdMillis: number;
  /** One byte per extent: 0 absent, 1 objects, 2 dense metadata. */
  readonly extents: Uint8Array;
  readonly dataBytes: number;
  readonly tableOffset: number;
  readonly tableBytes: number;
  /** CRC32C of the block table. */
  readonly tableChecksum: number;
  readonly pages: number;
  /** Keys per database. */
  readonly keys: readonly number[];
  readonly usedBytes: number;
}

/** A checkpoint file that cannot be used; the message says what was expected and what was found. */
export class CheckpointError extends Error {
  constructor(path: string, expected: string, found: string) {
    super(`${path}: expected ${expected}, found ${found}`);
    this.name = 'CheckpointError';
  }
}

/** The manifest of a checkpoint of these extents. */
export function describeCheckpoint(
  extents: Uint8Array,
  facts: Pick<
    Manifest,
    'epoch' | 'serverVersion' | 'createdMillis' | 'tableChecksum' | 'pages' | 'keys' | 'usedBytes'
  >,
): Manifest {
  const dataBytes = extents.length * EXTENT_BYTES;
  return {
    formatVersion: FORMAT_VERSION,
    granuleBytes: GRANULE_BYTES,
    pageBytes: PAGE_BYTES,
    extentBytes: EXTENT_BYTES,
    windowBytes: WINDOW_BYTES,
    checksumBlockBytes: native.constants.checksumBlockBytes,
    extents,
    dataBytes,
    tableOffset: dataBytes,
    tableBytes: extents.length * TABLE_BYTES_PER_EXTENT,
    ...facts,
  };
}

/** Manifest and footer: the bytes behind the block table. */
export function encodeTail(manifest: Manifest): Uint8Array {
  const body = pack(manifest);
  const manifestOffset = manifest.tableOffset + manifest.tableBytes;
  const footer = Buffer.alloc(FOOTER_BYTES);
  MAGIC.copy(footer);
  footer.writeUInt32LE(FORMAT_VERSION, 8);
  footer.writeUInt32LE(body.length, 12);
  footer.writeBigUInt64LE(BigInt(manifestOffset), 16);
  footer.writeUInt32LE(native.crc32c(body), 24);
  footer.writeBigUInt64LE(BigInt(manifestOffset + body.length + FOOTER_BYTES), 32);
  footer.writeUInt32LE(native.crc32c(footer.subarray(0, 60)), 60);
  return Buffer.concat([body, footer]);
}

/** Reads and checks footer and manifest. Throws CheckpointError; changes nothing. */
export function readManifest(path: string): Manifest {
  const file = openSync(path, 'r');
  try {
    return readManifestFrom(file, path);
  } finally {
    closeSync(file);
  }
}

/** readManifest() of an open file; `path` is for messages. */
export function readManifestFrom(file: number, path: string): Manifest {
  const fileBytes = fstatSync(file).size;
  if (fileBytes < FOOTER_BYTES) {
    throw new CheckpointError(path, `at least ${FOOTER_BYTES} bytes`, `${fileBytes}`);
  }
  const footer = readAt(file, path, fileBytes - FOOTER_BYTES, FOOTER_BYTES);
  if (!footer.subarray(0, 8).equals(MAGIC)) {
    const found = JSON.stringify(footer.toString('latin1', 0, 8));
    throw new CheckpointError(path, 'a Stillframe footer ("STILLEND") at its end', found);
  }
  expectEqual(
    path,
    'footer checksum',
    native.crc32c(footer.subarray(0, 60)),
    footer.readUInt32LE(60),
  );
  expectEqual(path, 'format version', FORMAT_VERSION, footer.readUInt32LE(8));
  expectEqual(path, 'file size', Number(footer.readBigUInt64LE(32)), fileBytes);
  const manifestBytes = footer.readUInt32LE(12);
  const manifestOffset = Number(footer.readBigUInt64LE(16));
  if (
    manifestBytes > MANIFEST_BYTES_MAX ||
    manifestOffset + manifestBytes + FOOTER_BYTES !== fileBytes
  ) {
    throw new CheckpointError(
      path,
      'a manifest that ends where the footer begins',
      `${manifestBytes} bytes at ${manifestOffset} in a file of ${fileBytes}`,
    );
  }
  const body = readAt(file, path, manifestOffset, manifestBytes);
  expectEqual(path, 'manifest checksum', footer.readUInt32LE(24), native.crc32c(body));
  const manifest = unpack(body) as Manifest;
  checkManifest(path, manifest, manifestOffset);
  return manifest;
}

function checkManifest(path: string, manifest: Manifest, manifestOffset: number): void {
  const extents = manifest.extents.length;
  const expected: readonly (readonly [string, number, number])[] = [
    ['format version', FORMAT_VERSION, manifest.formatVersion],
    ['granule size', GRANULE_BYTES, manifest.granuleBytes],
    ['page size', PAGE_BYTES, manifest.pageBytes],
    ['extent size', EXTENT_BYTES, manifest.extentBytes],
    ['window size', WINDOW_BYTES, manifest.windowBytes],
    ['checksum block size', native.constants.checksumBlockBytes, manifest.checksumBlockBytes],
    ['data size', extents * EXTENT_BYTES, manifest.dataBytes],
    ['block table offset', manifest.dataBytes, manifest.tableOffset],
    ['block table size', extents * TABLE_BYTES_PER_EXTENT, manifest.tableBytes],
    ['manifest offset', manifest.tableOffset + manifest.tableBytes, manifestOffset],
  ];
  for (const [name, wanted, found] of expected) expectEqual(path, name, wanted, found);
}

function expectEqual(path: string, name: string, expected: number, found: number): void {
  if (expected !== found) throw new CheckpointError(path, `${name} ${expected}`, `${found}`);
}

function readAt(file: number, path: string, offset: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let done = 0;
  while (done < bytes) {
    const count = readSync(file, buffer, done, bytes - done, offset + done);
    if (count === 0) throw new CheckpointError(path, `${bytes} bytes at ${offset}`, `${done}`);
    done += count;
  }
  return buffer;
}
