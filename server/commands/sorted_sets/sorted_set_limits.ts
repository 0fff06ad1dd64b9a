// The configured limits of packed sorted sets, handed to storage before a command adds members: the
// options may change at run time.
import { sortedSetLimits } from '../../../storage/values/sorted_set.js';
import { runtime } from '../../runtime.js';

const { config } = runtime;

/** `keepsNegativeZero`: see sortedSetLimits. */
export function useSortedSetLimits(keepsNegativeZero: boolean): void {
  sortedSetLimits.keepsNegativeZero = keepsNegativeZero;
  sortedSetLimits.packedMembersMax = config.zsetMaxListpackEntries;
  sortedSetLimits.packedMemberBytesMax = config.zsetMaxListpackValue;
}
