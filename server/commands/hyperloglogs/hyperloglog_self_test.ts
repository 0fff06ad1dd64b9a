// PFSELFTEST: that registers keep their values, that both representations agree, and that the estimate is
// as close as it should be. 100,000 elements in some ten milliseconds, beside the data.
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import {
  countRegisters,
  estimate,
  histogram,
} from '../../../storage/values/hyperloglog/estimate.js';
import {
  cardinality,
  DENSE_BYTES,
  DENSE_ENCODING,
  denseRegister,
  mergeDense,
  observation,
  observe,
  REGISTER_VALUES,
  REGISTERS,
  raiseDenseRegister,
  setDenseRegister,
  writeHeader,
} from '../../../storage/values/hyperloglog/registers.js';
import {
  countSparse,
  emptySketch,
  raiseRegister,
  sketch,
} from '../../../storage/values/hyperloglog/sparse.js';
import { randomWord } from '../../random.js';
import { replyError } from '../../reply_error.js';

const ELEMENTS = 100_000;
/** As long as the sparse form is compared: beyond, it is as long as the dense one. */
const SPARSE_ELEMENTS = 1000;
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);
/** Standard errors that an estimate may be off. */
const TOLERANCE = 6;

/** PFSELFTEST */
export function pfselftest(): void {
  const fault = registerFault() ?? estimateFault();
  if (fault === null) reply.ok();
  else replyError(errors.selfTestFailed(fault));
}

/** What is wrong with the dense registers, or null. */
function registerFault(): string | null {
  const dense = new Uint8Array(DENSE_BYTES);
  const expected = new Uint8Array(REGISTERS);
  const seed = randomWord();
  for (let i = 0; i < 4 * REGISTERS; i++) {
    const index = (Math.imul(i, 0x9e3779b1) ^ seed) & (REGISTERS - 1);
    const value = (Math.imul(i ^ seed, 0x85ebca6b) >>> 8) % REGISTER_VALUES;
    setDenseRegister(dense, 0, index, value);
    expected[index] = value;
  }
  for (let i = 0; i < REGISTERS; i++) {
    const value = denseRegister(dense, 0, i);
    if (value !== expected[i]) return `register ${i} should be ${expected[i]} but is ${value}`;
  }
  return null;
}

/** What is wrong with the estimates for growing sets, or null. */
function estimateFault(): string | null {
  const dense = new Uint8Array(DENSE_BYTES);
  writeHeader(dense, 0, DENSE_ENCODING);
  emptySketch();
  const element = new Uint8Array(8);
  const words = new Uint32Array(element.buffer);
  words[1] = randomWord();
  for (let count = 1, check = 1; count <= ELEMENTS; count++) {
    words[0] = count;
    observe(element, 0, element.length);
    raiseDenseRegister(dense, 0, observation.index, observation.run);
    if (count <= SPARSE_ELEMENTS) {
      raiseRegister(observation.index, observation.run, Number.POSITIVE_INFINITY);
    }
    if (count !== check) continue;
    check *= 10;
    const fault = checkEstimate(dense, count);
    if (fault !== null) return fault;
  }
  return null;
}

function checkEstimate(dense: Uint8Array, count: number): string | null {
  const registers = new Uint8Array(REGISTERS);
  mergeDense(registers, dense, 0);
  countRegisters(registers);
  const ofDense = histogram.slice();
  if (count <= SPARSE_ELEMENTS) {
    const isSound = countSparse(sketch.bytes, 0, sketch.length);
    if (!isSound || histogram.some((number, value) => number !== ofDense[value])) {
      return `the sparse and the dense registers of ${count} elements differ`;
    }
  }
  estimate();
  const tolerance = Math.ceil(TOLERANCE * STANDARD_ERROR * count);
  if (Math.abs(cardinality.low - count) <= tolerance) return null;
  return `${count} elements were estimated as ${cardinality.low}`;
}
