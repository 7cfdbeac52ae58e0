/**
 * Our own requests that wait for their replies.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { ErrorCode, RpcError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Message } from "./message.ts";
import { describeIssues, type Schema, validate } from "./schema.ts";
import type { NodeState } from "./state.ts";

/** What calls need of their node. */
export interface CallsContext {
  readonly state: NodeState;
  readonly clock: Clock;
  readonly write: (dest: string, body: object) => void;
  /** Told when a call has begun or ended. */
  readonly onChange: () => void;
}

/**
 * Sends a request under a fresh `msg_id` and waits for the reply with that id from that node.
 *
 * Its entry is gone when a reply came, time is up, or the caller gave up, whichever is first.
 */
export function call(
  { state, clock, write, onChange }: CallsContext,
  dest: string,
  body: object,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const msgId = state.takeMsgId();
    const fail = (error: unknown) => {
      state.takeCall(msgId, dest);
      reject(error);
      onChange();
    };
    const abort = () => fail(signal?.reason);
    const cancel = clock.schedule(timeoutMs, () => {
      fail(new RpcError(ErrorCode.timeout, `No reply from ${dest} in ${timeoutMs} ms`));
    });
    signal?.addEventListener("abort", abort, { once: true });
    const release = () => {
      cancel();
      signal?.removeEventListener("abort", abort);
    };
    state.calls.set(msgId, { dest, resolve, release });
    onChange();
    // Last, for an output that delivers at once may bring the reply before this returns.
    try {
      write(dest, { ...body, msg_id: msgId });
    } catch (error) {
      fail(error);
    }
  });
}

/** Hands a reply to the call it answers; drops and counts one that answers none. */
export function settle({ state, onChange }: CallsContext, reply: Message): void {
  const waiting = state.takeCall(reply.body.in_reply_to, reply.src);
  if (waiting === undefined) {
    state.counts.unknownReplies++;
    return;
  }
  waiting.resolve(reply);
  onChange();
}

/**
 * What a reply says.
 *
 * @throws {RpcError} if it is an error, or does not fit the schema.
 */
export function readReply<Reply>(
  reply: Message,
  schema: Schema<Reply> | undefined,
): Reply | JsonObject {
  const { body, src } = reply;
  if (body.type === "error") throw peerError(body);
  if (schema === undefined) return body;
  const { issues } = validate(schema, body);
  if (issues === undefined) return body;
  throw new RpcError(
    ErrorCode.crash,
    `Malformed ${body.type} from ${src}: ${describeIssues(issues)}`,
  );
}

function peerError({ code, text }: JsonObject): RpcError {
  const known = typeof code === "number" && Number.isSafeInteger(code) && code >= 0;
  const number = known ? code : ErrorCode.crash;
  return new RpcError(number, typeof text === "string" ? text : `Error ${number}`);
}
