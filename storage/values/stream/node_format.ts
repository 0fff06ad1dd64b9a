// A node of a stream: up to some hundred entries in one object, in the order of their ids.
//
//   words 0..3   id of the first entry, there or deleted: ms high, ms low, sequence high, sequence low
//   word 4       bytes in use, the head included
//   word 5       capacity of the object: what free() needs
//   word 6       entries that are there
//   word 7       entries that are marked as deleted
//   names        | fields: varint | for each: | length of its name, length of the first value: varints | name |
//   entries      | entry | entry | ... | room |
//
//   entry        | head: 1 byte | id | body |
//   head         | deleted: 1 | form: 2 | step: 5 |
//
//   step         how the id follows from the entry's before, that of the first one from words 0..3:
//       0        the same millisecond, the next sequence number
//       1..29    so many milliseconds later, sequence number 0
//       30       the same millisecond; id is a varint: how far the sequence number is ahead
//       31       id is two varints: how many milliseconds later, the sequence number
//
//   form         SIZED    the fields of the names, with values as long as the first ones: | value | value | ...
//                NAMED    the fields of the names: | length of each value: varints | values |
//                OWN      others: | fields: varint | for each: lengths of name and value | for each: name, value |
//                SHARED   the fields of the names, with values that begin as the first entry's do:
//                         | bytes of what follows | for each: | bytes that are the same, bytes that follow: varints | these |
//
//   varint       seven bits a byte, the lowest first, the high bit set in all bytes but the last
//
// Of the forms an entry gets the shortest. Most streams have entries of the same fields, and many have values of one
// length (numbers of a fixed width, uuids): these cost one byte beside the values. Many values change slowly or not at
// all (names of hosts, levels, times, counters): they cost two bytes and where they differ from the first entry's,
// which is SIZED and keeps its bytes when it is deleted. 5M entries of three values of 16 bytes under ids that the
// server made take 49 bytes each where the values have nothing in common, and 0.7 for names, head and tree; in Redis 64.
//
// Entries are read forward only, since an id needs the one before; a walk backwards makes a list of a node's
// entries first (walk.ts). Nothing here allocates or frees; called by the files of this folder.
import { byteWindows, wordWindows } from '../../memory/arena.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../../memory/layout.js';
import { ID_WORDS, StreamId } from './stream_id.js';

export const USED_WORD = ID_WORDS;
export const CAPACITY_WORD = ID_WORDS + 1;
export const LIVE_WORD = ID_WORDS + 2;
export const DELETED_WORD = ID_WORDS + 3;
export const NODE_HEAD_BYTES = 32;

export const HEAD_DELETED = 0x80;
export const FORM_SHIFT = 5;
const FORM_MASK = 3;
export const FORM_SIZED = 0;
export const FORM_NAMED = 1;
export const FORM_OWN = 2;
export const FORM_SHARED = 3;
/** Of a node's first entry: head, and a step that goes nowhere. */
export const FIRST_HEAD_BYTES = 2;

const STEP_MASK = 31;
export const STEP_NEXT = 0;
export const STEP_MILLIS_MAX = 29;
export const STEP_SEQUENCE = 30;
export const STEP_BOTH = 31;

/** The window of words that holds a node. */
export function nodeWords(node: Ref): Int32Array {
  return wordWindows[node >>> WINDOW_SHIFT]!;
}
/** Index of a node's first word in nodeWords(node). */
export function nodeBase(node: Ref): number {
  return (node & WINDOW_MASK) << 2;
}

// --- varints -------------------------------------------------------------------------------------

/** Where the varint that was read last ends. */
export let varintEnd = 0;

/** Reads a length or a count, below 2^31. */
export function readVarint(view: Uint8Array, start: number): number {
  let byte = view[start]!;
  if (byte < 0x80) {
    varintEnd = start + 1;
    return byte;
  }
  let at = start + 1;
  let value = byte & 0x7f;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    byte = view[at++]!;
    value |= (byte & 0x7f) << shift;
  }
  varintEnd = at;
  return value;
}

/** Bytes of a length or a count. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  return value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Writes a length or a count. Returns the index behind it. */
export function writeVarint(view: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) view[at++] = 0x80 | (rest & 0x7f);
  view[at] = rest;
  return at + 1;
}

/** The number that readWide() has read: 64 bits. */
export const wide = { high: 0, low: 0 };

/** Reads a number of 64 bits into `wide`. Returns the index behind it. */
export function readWide(view: Uint8Array, start: number): number {
  let at = start;
  let high = 0;
  let low = 0;
  let byte = 0x80;
  for (let shift = 0; byte >= 0x80; shift += 7) {
    byte = view[at++]!;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift > 28) high |= bits << (shift - 32);
    else {
      low |= bits << 28;
      high = bits >>> 4;
    }
  }
  wide.high = high;
  wide.low = low;
  return at;
}

/** Bytes of a number of 64 bits. */
export function wideBytes(high: number, low: number): number {
  if (high === 0 && low >= 0 && low < 0x80) return 1;
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
  return Math.ceil(bits / 7);
}

/** Writes a number of 64 bits. Returns the index behind it. */
export function writeWide(view: Uint8Array, start: number, high: number, low: number): number {
  let at = start;
  let upper = high;
  let lower = low;
  while (upper !== 0 || lower >>> 0 >= 0x80) {
    view[at++] = 0x80 | (lower & 0x7f);
    lower = (lower >>> 7) | (upper << 25);
    upper >>>= 7;
  }
  view[at] = lower;
  return at + 1;
}

// --- reading a node ------------------------------------------------------------------------------

/**
 * The node that is being read, and the entry in it that nextInNode() has come to. One at a time; valid until
 * the stream changes.
 */
export const scan = {
  view: byteWindows[0]!,
  /** Index in `view` of the node, of the entry behind, and behind the last one. */
  start: 0,
  next: 0,
  end: 0,
  /** Fields of the names, where the first entry's values begin, and their bytes together. */
  names: 0,
  firstAt: 0,
  sizedBytes: 0,
  /** The entry: where it begins, its form, whether it is deleted, its number of fields. */
  at: 0,
  form: FORM_SIZED,
  isDeleted: false,
  fields: 0,
  /** Its lengths (FORM_NAMED, FORM_OWN), and its names and values (FORM_SHARED: with their lengths). */
  lengthsAt: 0,
  bytesAt: 0,
};

/** The id of the entry in `scan`. */
export const scanId: StreamId = new StreamId();

// Of the names: where each lies, how long it is and how long its first value.
let nameOffsets = new Int32Array(64);
let nameLengths = new Int32Array(64);
let sizedLengths = new Int32Array(64);

/** Begins to read a node: nextInNode() goes to its first entry. */
export function openNode(node: Ref): void {
  const words = nodeWords(node);
  const base = nodeBase(node);
  const view = byteWindows[node >>> WINDOW_SHIFT]!;
  const start = base << 2;
  scanId.msHigh = words[base]!;
  scanId.msLow = words[base + 1]!;
  scanId.seqHigh = words[base + 2]!;
  scanId.seqLow = words[base + 3]!;
  const names = readVarint(view, start + NODE_HEAD_BYTES);
  if (names > nameOffsets.length) growNames(names);
  let at = varintEnd;
  let sizedBytes = 0;
  for (let i = 0; i < names; i++) {
    const length = readVarint(view, at);
    const sized = readVarint(view, varintEnd);
    nameOffsets[i] = varintEnd;
    nameLengths[i] = length;
    sizedLengths[i] = sized;
    sizedBytes += sized;
    at = varintEnd + length;
  }
  scan.view = view;
  scan.start = start;
  scan.next = at;
  scan.end = start + words[base + USED_WORD]!;
  scan.names = names;
  scan.firstAt = at + FIRST_HEAD_BYTES;
  scan.sizedBytes = sizedBytes;
}

function growNames(names: number): void {
  const capacity = 2 * names;
  nameOffsets = new Int32Array(capacity);
  nameLengths = new Int32Array(capacity);
  sizedLengths = new Int32Array(capacity);
}

/** Goes to the next entry of the node, also a deleted one; false behind the last. */
export function nextInNode(): boolean {
  const at = scan.next;
  if (at >= scan.end) return false;
  const head = scan.view[at]!;
  openBody(at, head, readStep(at + 1, head & STEP_MASK));
  return true;
}

/** Makes an entry that was seen before the one in `scan` again; its id is the caller's to fill. */
export function reopenEntry(at: number, body: number): void {
  openBody(at, scan.view[at]!, body);
}

/** Where the body of the entry in `scan` begins: what reopenEntry() needs. */
export let bodyStart = 0;

/** Moves the id on by the step of an entry. Returns the index behind the step's numbers. */
function readStep(at: number, step: number): number {
  const id = scanId;
  if (step === STEP_NEXT) {
    id.seqLow = (id.seqLow + 1) | 0;
    if (id.seqLow === 0) id.seqHigh = (id.seqHigh + 1) | 0;
    return at;
  }
  if (step <= STEP_MILLIS_MAX) {
    addMillis(0, step);
    id.seqHigh = 0;
    id.seqLow = 0;
    return at;
  }
  let end = readWide(scan.view, at);
  if (step === STEP_SEQUENCE) {
    const low = (id.seqLow >>> 0) + (wide.low >>> 0);
    id.seqHigh = (id.seqHigh + wide.high + (low > 0xffffffff ? 1 : 0)) | 0;
    id.seqLow = low | 0;
    return end;
  }
  addMillis(wide.high, wide.low);
  end = readWide(scan.view, end);
  id.seqHigh = wide.high;
  id.seqLow = wide.low;
  return end;
}

function addMillis(high: number, low: number): void {
  const sum = (scanId.msLow >>> 0) + (low >>> 0);
  scanId.msHigh = (scanId.msHigh + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  scanId.msLow = sum | 0;
}

function openBody(at: number, head: number, body: number): void {
  const form = (head >>> FORM_SHIFT) & FORM_MASK;
  scan.at = at;
  scan.form = form;
  scan.isDeleted = head >= HEAD_DELETED;
  bodyStart = body;
  if (form === FORM_SIZED) {
    scan.fields = scan.names;
    scan.bytesAt = body;
    scan.next = body + scan.sizedBytes;
  } else if (form === FORM_SHARED) {
    scan.fields = scan.names;
    const bytes = readVarint(scan.view, body);
    scan.bytesAt = varintEnd;
    scan.next = varintEnd + bytes;
  } else {
    openLengths(body, form);
  }
}

/** Adds the lengths of an entry up. */
function openLengths(body: number, form: number): void {
  const { view } = scan;
  let fields = scan.names;
  let at = body;
  let lengths = fields;
  if (form === FORM_OWN) {
    fields = readVarint(view, body);
    at = varintEnd;
    lengths = 2 * fields;
  }
  scan.fields = fields;
  scan.lengthsAt = at;
  let bytes = 0;
  for (let i = 0; i < lengths; i++) {
    bytes += readVarint(view, at);
    at = varintEnd;
  }
  scan.bytesAt = at;
  scan.next = at + bytes;
}

/**
 * A field of the entry in `scan` and its value, which lies in one part or two, all in `scan.view`: filled by
 * nextPair(). restLength is 0 where there is one part.
 */
export const pair = {
  name: 0,
  nameLength: 0,
  value: 0,
  valueLength: 0,
  rest: 0,
  restLength: 0,
};

let pairIndex = 0;
let pairLengthsAt = 0;
let pairBytesAt = 0;
let pairFirstAt = 0;

/** Before the first nextPair() of an entry. */
export function openPairs(): void {
  pairIndex = 0;
  pairLengthsAt = scan.lengthsAt;
  pairBytesAt = scan.bytesAt;
  pairFirstAt = scan.firstAt;
  pair.restLength = 0;
}

/** Fills `pair` with the next field; there are scan.fields of them. */
export function nextPair(): void {
  const { form, view } = scan;
  if (form === FORM_OWN) {
    pair.nameLength = readVarint(view, pairLengthsAt);
    pair.valueLength = readVarint(view, varintEnd);
    pairLengthsAt = varintEnd;
    pair.name = pairBytesAt;
    pair.value = pairBytesAt + pair.nameLength;
    pairBytesAt = pair.value + pair.valueLength;
    return;
  }
  const i = pairIndex++;
  pair.name = nameOffsets[i]!;
  pair.nameLength = nameLengths[i]!;
  if (form === FORM_SHARED) {
    pair.value = pairFirstAt;
    pair.valueLength = readVarint(view, pairBytesAt);
    pair.restLength = readVarint(view, varintEnd);
    pair.rest = varintEnd;
    pairFirstAt += sizedLengths[i]!;
    pairBytesAt = varintEnd + pair.restLength;
    return;
  }
  pair.value = pairBytesAt;
  if (form === FORM_SIZED) {
    pair.valueLength = sizedLengths[i]!;
  } else {
    pair.valueLength = readVarint(view, pairLengthsAt);
    pairLengthsAt = varintEnd;
  }
  pairBytesAt += pair.valueLength;
}

/** For the proof of the heap: whether no value of the entry in `scan` shares more than its first one has,
 *  and they end where the entry does. */
export function sharesWithFirst(): boolean {
  if (scan.form !== FORM_SHARED) return true;
  openPairs();
  for (let i = 0; i < scan.fields; i++) {
    nextPair();
    if (pair.valueLength > sizedLengths[i]!) return false;
  }
  return pairBytesAt === scan.next;
}
