// The configured size of a stream's nodes, handed to storage before a command adds entries: the options may
// change at run time.
import { streamLimits } from '../../../storage/values/stream/nodes.js';
import { runtime } from '../../runtime.js';

const { config } = runtime;

export function useStreamLimits(): void {
  streamLimits.nodeEntriesMax = config.streamNodeMaxEntries;
  streamLimits.nodeBytesMax = config.streamNodeMaxBytes;
}
