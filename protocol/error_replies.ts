// Every error text that goes over the wire, as Redis 7.0 words it: clients match on these, so they are
// facts of the protocol. Texts stand without the leading '-' and go to reply.error().
//
// Functions take texts of one character per byte (latin1), as Arguments.latin1() yields them. Like
// Redis's C formats they end a quoted text at its first zero byte and cut what a client sent to a bound.
import type { Arguments } from './arguments.js';

/** Bytes of a command or subcommand name that are quoted back. */
const QUOTED_NAME_BYTES_MAX = 128;
/** Once this many bytes of arguments are quoted back, no further one is. */
const QUOTED_ARGUMENTS_BYTES_MAX = 128;

// General
export const SYNTAX_ERROR = 'ERR syntax error';
export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const NO_SUCH_KEY = 'ERR no such key';
export const SAME_OBJECT = 'ERR source and destination objects are the same';
export const INDEX_OUT_OF_RANGE = 'ERR index out of range';
export const OFFSET_OUT_OF_RANGE = 'ERR offset is out of range';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
export const NOT_POSITIVE = 'ERR value is out of range, must be positive';
export const NOT_A_FLOAT = 'ERR value is not a valid float';
export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const STRING_TOO_LONG = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';

// Lists
export const LPOS_RANK_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use " +
  'negative to start from the end of the list';
export const COUNT_NEGATIVE = "ERR COUNT can't be negative";
export const MAXLEN_NEGATIVE = "ERR MAXLEN can't be negative";

// Blocking
export const TIMEOUT_NOT_A_FLOAT = 'ERR timeout is not a float or out of range';

// Numbers
export const INCREMENT_OVERFLOW = 'ERR increment or decrement would overflow';
export const DECREMENT_OVERFLOW = 'ERR decrement would overflow';
export const INCREMENT_NOT_FINITE = 'ERR increment would produce NaN or Infinity';

// Bits
export const BIT_OFFSET_INVALID = 'ERR bit offset is not an integer or out of range';
export const BIT_VALUE_INVALID = 'ERR bit is not an integer or out of range';
export const BITPOS_ARGUMENT = 'ERR The bit argument must be 1 or 0.';
export const BITOP_NOT_SOURCES = 'ERR BITOP NOT must be called with a single source key.';
export const BITFIELD_TYPE =
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';
export const BITFIELD_OVERFLOW = 'ERR Invalid OVERFLOW type specified';
export const BITFIELD_RO_GET_ONLY = 'ERR BITFIELD_RO only supports the GET subcommand';

// Several keys
export const NUMKEYS_NOT_POSITIVE = 'ERR numkeys should be greater than 0';
export const NUMKEYS_TOO_LARGE = "ERR Number of keys can't be greater than number of args";
export const LIMIT_NEGATIVE = "ERR LIMIT can't be negative";

// SORT
export const SORT_NOT_FLOATS = "ERR One or more scores can't be converted into double";

// Hashes
export const HASH_NOT_AN_INTEGER = 'ERR hash value is not an integer';
export const HASH_NOT_A_FLOAT = 'ERR hash value is not a float';
export const NOT_FINITE = 'ERR value is NaN or Infinity';
export const FIELDS_MISSING =
  'ERR Mandatory argument FIELDS is missing or not at the right position';
export const NUMFIELDS_NOT_POSITIVE = 'ERR Parameter `numFields` should be greater than 0';
export const NUMFIELDS_COUNT = 'ERR Number of fields must be a positive integer';
export const NUMFIELDS_MISMATCH =
  'ERR The `numfields` parameter must match the number of arguments';
export const EXPIRE_TIME_NEGATIVE = 'ERR invalid expire time, must be >= 0';

// HyperLogLog
export const HLL_NOT_VALID = 'WRONGTYPE Key is not a valid HyperLogLog string value.';
export const HLL_CORRUPT = 'INVALIDOBJ Corrupted HLL object detected';
export const HLL_NO_KEY = 'ERR The specified key does not exist';
export const HLL_NOT_SPARSE = 'ERR HLL encoding is not sparse';

// LCS
export const LCS_NOT_STRINGS = 'ERR The specified keys must contain string values';
export const LCS_LENGTH_AND_INDEXES =
  'ERR If you want both the length and indexes, please just use IDX.';
export const LCS_STRING_TOO_LONG = 'ERR String too long for LCS';
export const LCS_MEMORY =
  'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len';
export const LCS_ALLOCATION = 'ERR Insufficient memory, failed allocating transient memory for LCS';

// Sorted sets
export const ZADD_NX_XX = 'ERR XX and NX options at the same time are not compatible';
export const ZADD_GT_LT_NX = 'ERR GT, LT, and/or NX options at the same time are not compatible';
export const ZADD_INCR_PAIRS = 'ERR INCR option supports a single increment-element pair';
export const SCORE_NAN = 'ERR resulting score is not a number (NaN)';
export const SCORE_RANGE = 'ERR min or max is not a float';
export const MEMBER_RANGE = 'ERR min or max not valid string range item';
export const ZRANGE_LIMIT =
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX';
export const ZRANGE_WITHSCORES =
  'ERR syntax error, WITHSCORES not supported in combination with BYLEX';
export const COUNT_NOT_POSITIVE = 'ERR count should be greater than 0';
export const WEIGHT_NOT_A_FLOAT = 'ERR weight value is not a float';
export const VALUE_OUT_OF_RANGE = 'ERR value is out of range';
/** Where a negative count may be turned into a positive one. */
export const NOT_A_COUNT =
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807';

// Streams
export const STREAM_ID_INVALID = 'ERR Invalid stream ID specified as stream command argument';
export const STREAM_RANGE_START = 'ERR invalid start ID for the interval';
export const STREAM_RANGE_END = 'ERR invalid end ID for the interval';
export const STREAM_ID_ZERO = 'ERR The ID specified in XADD must be greater than 0-0';
export const STREAM_ID_SMALLER =
  'ERR The ID specified in XADD is equal or smaller than the target stream top item';
export const STREAM_EXHAUSTED =
  'ERR The stream has exhausted the last possible ID, unable to add more items';
export const STREAM_ENTRY_TOO_LARGE = 'ERR Elements are too large to be stored';
export const TRIM_MAXLEN_MINID =
  'ERR syntax error, MAXLEN and MINID options at the same time are not compatible';
export const TRIM_MAXLEN_NEGATIVE = 'ERR The MAXLEN argument must be >= 0.';
export const TRIM_LIMIT_NEGATIVE = 'ERR The LIMIT argument must be >= 0.';
export const TRIM_LIMIT_ALONE =
  'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy';
export const TRIM_LIMIT_EXACT =
  'ERR syntax error, LIMIT cannot be used without the special ~ option';
export const XSETID_ADDED_NEGATIVE = 'ERR entries_added must be positive';
export const XSETID_BELOW_GIVEN_DELETED =
  'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id';
export const XSETID_BELOW_TOP =
  'ERR The ID specified in XSETID is smaller than the target stream top item';
export const XSETID_ADDED_BELOW_LENGTH =
  'ERR The entries_added specified in XSETID is smaller than the target stream length';
export const XREAD_GROUP_OPTION =
  'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.';
export const XREAD_NOACK_OPTION =
  'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.';
export const XGROUP_NO_KEY =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use ' +
  'the MKSTREAM option to create an empty stream automatically.';
export const BUSY_GROUP = 'BUSYGROUP Consumer Group name already exists';
export const ENTRIES_READ_NEGATIVE = 'ERR value for ENTRIESREAD must be positive or -1';
export const XREADGROUP_NO_GROUP = 'ERR Missing GROUP option for XREADGROUP';
export const XREADGROUP_DOLLAR =
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this ' +
  'consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just ' +
  'return an empty result set.';
export const NO_GROUP_ANY_MORE =
  'NOGROUP the consumer group this client was blocked on no longer exists';
export const UNBLOCKED_NO_KEY = 'UNBLOCKED the stream key no longer exists';
export const CLAIM_COUNT = 'ERR COUNT must be > 0';
export const CLAIM_COUNT_TOO_HIGH =
  'ERR Insufficient memory, failed allocating transient memory, COUNT too high.';
export const XREAD_NEW_ID =
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.';

// Places
export const DISTANCE_UNIT = 'ERR unsupported unit provided. please use M, KM, FT, MI';
export const PLACE_OF_MEMBER = 'ERR could not decode requested zset member';
export const RADIUS_NOT_A_NUMBER = 'ERR need numeric radius';
export const RADIUS_NEGATIVE = 'ERR radius cannot be negative';
export const WIDTH_NOT_A_NUMBER = 'ERR need numeric width';
export const HEIGHT_NOT_A_NUMBER = 'ERR need numeric height';
export const BOX_NEGATIVE = 'ERR height or width cannot be negative';
export const GEO_COUNT = 'ERR COUNT must be > 0';
export const GEO_ANY = 'ERR the ANY argument requires COUNT argument';

// Keys and databases
export const DB_INDEX_OUT_OF_RANGE = 'ERR DB index is out of range';
export const FIRST_DB_INVALID = 'ERR invalid first DB index';
export const SECOND_DB_INVALID = 'ERR invalid second DB index';
export const INVALID_CURSOR = 'ERR invalid cursor';
export const EXPIRE_NX_CONFLICT =
  'ERR NX and XX, GT or LT options at the same time are not compatible';
export const EXPIRE_GT_LT_CONFLICT = 'ERR GT and LT options at the same time are not compatible';
export const LFU_NOT_SELECTED =
  'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that ' +
  'when switching between policies at runtime LRU and LFU data will take some time to adjust.';
export const LFU_SELECTED =
  'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when ' +
  'switching between policies at runtime LRU and LFU data will take some time to adjust.';

// DUMP and RESTORE
export const BUSY_KEY = 'BUSYKEY Target key name already exists.';
export const INVALID_TTL = 'ERR Invalid TTL value, must be >= 0';
export const INVALID_IDLE_TIME = 'ERR Invalid IDLETIME value, must be >= 0';
export const INVALID_FREQUENCY = 'ERR Invalid FREQ value, must be >= 0 and <= 255';
export const PAYLOAD_DAMAGED = 'ERR DUMP payload version or checksum are wrong';
export const PAYLOAD_NO_VALUE = 'ERR Bad data format';
/** Ours: no RESTORE could take it. */
export const DUMP_TOO_LARGE = 'ERR DUMP payload would be larger than proto-max-bulk-len';

// Transactions
export const NESTED_MULTI = 'ERR MULTI calls can not be nested';
export const EXEC_WITHOUT_MULTI = 'ERR EXEC without MULTI';
export const DISCARD_WITHOUT_MULTI = 'ERR DISCARD without MULTI';
export const WATCH_IN_MULTI = 'ERR WATCH inside MULTI is not allowed';
export const NOT_IN_TRANSACTION = 'ERR Command not allowed inside a transaction';
export const EXEC_ABORT = 'EXECABORT Transaction discarded because of previous errors.';

// Connections
export const NO_AUTH = 'NOAUTH Authentication required.';
export const NO_AUTH_HELLO =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH ' +
  '<user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
  'version at the same time';
export const WRONG_PASS = 'WRONGPASS invalid username-password pair or user is disabled.';
export const AUTH_WITHOUT_PASSWORD =
  'ERR AUTH <password> called without any password configured for the default user. Are you ' +
  'sure your configuration is correct?';
export const NO_PROTO = 'NOPROTO unsupported protocol version';
export const PROTOCOL_VERSION = 'ERR Protocol version is not an integer or out of range';
export const CLIENT_NAME =
  'ERR Client names cannot contain spaces, newlines or special characters.';
export const NO_SUCH_CLIENT = 'ERR No such client';
export const UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';
export const UNBLOCK_REASON = 'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR';
export const CLIENT_ID = 'ERR client-id should be greater than 0';
export const CLIENT_LIST_ID = 'ERR Invalid client ID';
export const CLIENT_PAUSE_MODE = 'ERR CLIENT PAUSE mode must be WRITE or ALL';
export const TIMEOUT_NOT_AN_INTEGER = 'ERR timeout is not an integer or out of range';
export const TIMEOUT_NEGATIVE = 'ERR timeout is negative';
export const MAX_CLIENTS = 'ERR max number of clients reached';
export const PROTECTED_MODE =
  'DENIED Redis is running in protected mode because protected mode is enabled and no password ' +
  'is set for the default user. In this mode connections are only accepted from the loopback ' +
  'interface. If you want to connect from external computers to Redis you may adopt one of the ' +
  "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET " +
  "protected-mode no' from the loopback interface by connecting to Redis from the same host the " +
  'server is running, however MAKE SURE Redis is not publicly accessible from internet if you do ' +
  'so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable ' +
  'the protected mode by editing the Redis configuration file, and setting the protected mode ' +
  "option to 'no', and then restarting the server. 3) If you started the server manually just " +
  "for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication " +
  'password for the default user. NOTE: You only need to do one of the above things in order for ' +
  'the server to start accepting connections from the outside.';

// Persistence and shutdown
export const SAVE_IN_PROGRESS = 'ERR Background save already in progress';
export const MISCONF =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to " +
  'disk. Commands that may modify the data set are disabled, because this instance is configured ' +
  'to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error ' +
  'option). Please check the Redis logs for details about the RDB error.';
export const LOADING = 'LOADING Redis is loading the dataset in memory';
export const NO_SHUTDOWN = 'ERR No shutdown in progress.';
export const SHUTDOWN_FAILED = 'ERR Errors trying to SHUTDOWN. Check logs.';
/** SAVE and BGSAVE that failed without a text of their own: Redis's bare error. */
export const UNSPECIFIED = 'ERR';

// COMMAND, CONFIG, DEBUG
export const COMMAND_INVALID = 'ERR Invalid command specified';
export const COMMAND_NO_KEYS = 'ERR The command has no key arguments';
export const COMMAND_ARGUMENT_COUNT = 'ERR Invalid number of arguments specified for command';
export const COMMAND_ARGUMENTS = 'ERR Invalid arguments specified for command';
export const CONFIG_NO_FILE = 'ERR The server is running without a config file';
export const DEBUG_DB_OUT_OF_RANGE = 'ERR Out of range database';
export const RELOAD_OPTION =
  'ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.';
export const RELOAD_MERGE =
  'ERR DEBUG RELOAD restores a checkpoint whole: MERGE and NOFLUSH are not available';
export const RELOAD_FAILED = 'ERR Error trying to load the RDB dump';
export const DEBUG_NOT_A_TABLE =
  'ERR The value stored at the specified key is not represented using an hash table';
export const DEBUG_PROTOCOL_TYPE =
  'ERR Wrong protocol type name. Please use one of the following: ' +
  'string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false';
export const RESP2_UNSUPPORTED = 'ERR RESP2 is not supported by this command';

/** `name` in lower case, a subcommand as 'config|get'. */
export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** For the request in `request`: quotes its name and the first of its arguments. */
export function unknownCommand(request: Arguments): string {
  let quoted = '';
  for (let i = 1; i < request.count && quoted.length < QUOTED_ARGUMENTS_BYTES_MAX; i++) {
    quoted += `'${cString(request.latin1(i), QUOTED_ARGUMENTS_BYTES_MAX - quoted.length)}' `;
  }
  const name = cString(request.latin1(0), QUOTED_NAME_BYTES_MAX);
  return `ERR unknown command '${name}', with args beginning with: ${quoted}`;
}

/** `container` in any case: CONFIG. */
export function unknownSubcommand(container: string, subcommand: string): string {
  const quoted = cString(subcommand, QUOTED_NAME_BYTES_MAX);
  return `ERR unknown subcommand '${quoted}'. Try ${container.toUpperCase()} HELP.`;
}

/** LATENCY GRAPH of an event that was not seen. */
export function noLatencySamples(event: string): string {
  return `ERR No samples available for event '${cString(event, QUOTED_NAME_BYTES_MAX)}'`;
}

/** As unknownSubcommand(), of commands that check their subcommands' arity themselves: DEBUG. */
export function unknownSubcommandOrArity(container: string, subcommand: string): string {
  const quoted = cString(subcommand, QUOTED_NAME_BYTES_MAX);
  return (
    `ERR unknown subcommand or wrong number of arguments for '${quoted}'. ` +
    `Try ${container.toUpperCase()} HELP.`
  );
}

/** XPENDING, XCLAIM and XAUTOCLAIM of a group that is not there. */
export function noGroup(key: string, group: string): string {
  return `NOGROUP No such key '${cString(key)}' or consumer group '${cString(group)}'`;
}
/** The same of XREADGROUP. */
export function noGroupToRead(key: string, group: string): string {
  return `${noGroup(key, group)} in XREADGROUP with GROUP option`;
}
/** XGROUP and XINFO of a group that the stream does not have. */
export function noSuchGroup(key: string, group: string): string {
  return `NOGROUP No such consumer group '${cString(group)}' for key name '${cString(key)}'`;
}
/** `command`: XCLAIM or XAUTOCLAIM. */
export function invalidMinIdle(command: string): string {
  return `ERR Invalid min-idle-time argument for ${command}`;
}
export function invalidClaimOption(option: string): string {
  return `ERR Invalid ${option} option argument for XCLAIM`;
}
export function unknownClaimOption(option: string): string {
  return `ERR Unrecognized XCLAIM option '${cString(option)}'`;
}

/** `command` in upper case, XREAD or XREADGROUP: keys and ids are not as many. `symbol` stands for an id. */
export function unbalancedStreams(command: string, symbol: string): string {
  return (
    `ERR Unbalanced ${command} list of streams: for each stream key an ID or '${symbol}' ` +
    'must be specified.'
  );
}

/** `command` in lower case: ZUNION and its kind with no key. */
export function noInputKeys(command: string): string {
  return `ERR at least 1 input key is needed for '${command}' command`;
}

/** Degrees beyond the map. */
export function placeInvalid(longitude: number, latitude: number): string {
  return `ERR invalid longitude,latitude pair ${cFixed(longitude)},${cFixed(latitude)}`;
}

/** A number as C's %f prints it. */
function cFixed(n: number): string {
  if (!Number.isFinite(n)) return n > 0 ? 'inf' : '-inf';
  return Math.abs(n) < 1e21 ? n.toFixed(6) : `${BigInt(n)}.000000`;
}

/** `form`: GEOSEARCHSTORE, or 'STORE option in GEORADIUS'. */
export function geoStoreConflict(form: string): string {
  return `ERR ${form} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
}

/** `command` as the client wrote it. */
export function geoCentreMissing(command: string): string {
  return `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${cString(command)}`;
}
export function geoShapeMissing(command: string): string {
  return `ERR exactly one of BYRADIUS and BYBOX can be specified for ${cString(command)}`;
}

/** `command` in lower case. */
export function invalidExpireTime(command: string): string {
  return `ERR invalid expire time in '${command}' command`;
}

export function unknownPfdebug(subcommand: string): string {
  return `ERR Unknown PFDEBUG subcommand '${cString(subcommand)}'`;
}

/** PFSELFTEST has found a fault. */
export function selfTestFailed(what: string): string {
  return `TESTFAILED ${what}`;
}

export function unsupportedOption(option: string): string {
  // Redis trims the line end of a text that it formats.
  return `ERR Unsupported option ${cString(option).replace(/[\r\n]+$/, '')}`;
}

export function valueOutOfBounds(low: number, high: number): string {
  return `ERR value is out of range, value must between ${low} and ${high}`;
}

export function helloOption(option: string): string {
  return `ERR Syntax error in HELLO option '${cString(option)}'`;
}

export function unknownClientType(type: string): string {
  return `ERR Unknown client type '${cString(type)}'`;
}

export function noSuchUser(name: string): string {
  return `ERR No such user '${cString(name)}'`;
}

/** A queued command failed its checks in a way that ends the transaction: `reason` without 'ERR '. */
export function execAborted(reason: string): string {
  return `EXECABORT Transaction discarded because of: ${reason}`;
}

/** `command` (DEBUG) is switched off by `option` (enable-debug-command). */
export function commandSwitchedOff(command: string, option: string): string {
  return (
    `ERR ${command} command not allowed. If the ${option} option is set to "local", you can run ` +
    'it from a local connection, otherwise you need to set this option in the configuration ' +
    'file, and then restart the server.'
  );
}

export function configUnknownOption(option: string): string {
  return `ERR Unknown option or number of arguments for CONFIG SET - '${cString(option)}'`;
}

/** CONFIG SET refused a value; `reason` says what is accepted. */
export function configSetFailed(option: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${option}') - ${reason}`;
}

export function configRewriteFailed(reason: string): string {
  return `ERR Rewriting config file: ${reason}`;
}

/** A text as C's %.*s prints it: up to its first zero byte and at most `bytesMax` long. */
function cString(text: string, bytesMax = text.length): string {
  const zero = text.indexOf('\0');
  return text.slice(0, zero < 0 ? bytesMax : Math.min(zero, bytesMax));
}
