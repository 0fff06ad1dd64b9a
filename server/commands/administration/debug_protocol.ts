// DEBUG PROTOCOL: a reply of each type, for the tests of clients. The values are Redis's.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { replyError } from '../../reply_error.js';

const SAMPLES: Readonly<Record<string, () => void>> = {
  string: () => reply.bulkLatin1('Hello World'),
  integer: () => reply.integer(12345),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the digits that tests expect
  double: () => reply.double(3.141),
  bignum: () => reply.bigNumber('1234567999999999999999999999999999999'),
  null: () => reply.null(),
  array: () => {
    reply.array(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  set: () => {
    reply.set(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  map: () => {
    reply.map(3);
    for (let i = 0; i < 3; i++) {
      reply.integer(i);
      reply.boolean(i === 1);
    }
  },
  attrib: () => {
    if (reply.protocol === 3) {
      reply.attribute(1);
      reply.bulkLatin1('key-popularity');
      reply.array(2);
      reply.bulkLatin1('key:123');
      reply.integer(90);
    }
    reply.bulkLatin1('Some real reply following the attribute');
  },
  push: () => {
    if (reply.protocol === 2) {
      replyError(errors.RESP2_UNSUPPORTED);
      return;
    }
    reply.push(2);
    reply.bulkLatin1('server-cpu-usage');
    reply.integer(42);
    reply.bulkLatin1('Some real reply following the push reply');
  },
  verbatim: () => reply.verbatim('This is a verbatim\nstring', 'txt'),
  true: () => reply.boolean(true),
  false: () => reply.boolean(false),
};

/** DEBUG PROTOCOL type */
export function debugProtocol(): void {
  const type = args.latin1(2).toLowerCase();
  if (Object.hasOwn(SAMPLES, type)) SAMPLES[type]!();
  else replyError(errors.DEBUG_PROTOCOL_TYPE);
}
