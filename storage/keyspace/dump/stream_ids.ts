// Ids of streams in a payload: milliseconds and sequence number, an int64 each.
import type { StreamId } from '../../values/stream/stream_id.js';
import type { PayloadReader, PayloadWriter } from './payload.js';

export function writeId(to: PayloadWriter, { msHigh, msLow, seqHigh, seqLow }: StreamId): void {
  to.int64(msHigh, msLow);
  to.int64(seqHigh, seqLow);
}

export function readId(from: PayloadReader, target: StreamId): void {
  from.int64();
  target.msHigh = from.high;
  target.msLow = from.low;
  from.int64();
  target.seqHigh = from.high;
  target.seqLow = from.low;
}
