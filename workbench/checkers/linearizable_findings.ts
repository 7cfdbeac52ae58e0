/**
 * What to tell of a key that no order of its operations explains.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Finding } from "../history.ts";
import { sortJson } from "./json_order.ts";
import type { RegisterCall, RegisterHistory } from "./register_model.ts";
import { inOrder, oneOf, plural, seconds, show, who } from "./wording.ts";

/** How many of the operations concurrent with the failing one a finding shows. */
const MAX_CONCURRENT_SHOWN = 6;

/**
 * Tells of the first operation that cannot have happened as it did.
 *
 * Everything up to just before its completion can be put in order, and nothing up to its
 * completion can: so the history up to there is the shortest that is wrong.
 *
 * @param call the operation; always a read or a cas, for a write can always come last.
 * @param possible what the register can have held by then.
 */
export function nonlinearizable(
  history: RegisterHistory,
  call: RegisterCall,
  possible: readonly Json[],
): Finding {
  const { invoke, completion = invoke } = call.pair;
  const required = show(history.values[call.requires]);
  const when = `from ${seconds(invoke)} to ${seconds(completion)}`;
  const did = invoke.f === "read"
    ? `read ${required} from key ${show(history.key)} (${when})`
    : `changed key ${show(history.key)} from ${required} to ` +
      `${show(history.values[call.leaves])} (${when})`;
  const writes = (other: RegisterCall) =>
    other !== call && other.leaves === call.requires && other.requires !== other.leaves &&
    other.invokedAt < call.completedAt;
  const writers = [...history.known, ...history.unknown].filter(writes);
  const failed = history.failed.filter(writes);
  const why = writers.length > 0
    ? `but by then it can only have held ${oneOf(sortJson(possible).map(show))}`
    : failed.length > 0
    ? `but whoever meant to write ${required} had got a definite error`
    : `but nobody had written ${required}`;
  return {
    anomaly: "nonlinearizable",
    what: `${capital(who(completion))} ${did}, ${why}`,
    ops: window(history, call, writers.length > 0 ? writers : failed),
  };
}

/** The last that wrote the value, the last write before, and what went on meanwhile. */
function window(
  { known, unknown }: RegisterHistory,
  call: RegisterCall,
  writers: readonly RegisterCall[],
): Finding["ops"] {
  const before = known.filter(({ completedAt }) => completedAt < call.invokedAt);
  const changes = before.filter(({ requires, leaves }) => requires !== leaves);
  const concurrent = [...known, ...unknown].filter((other) =>
    other.invokedAt < call.completedAt && other.completedAt > call.invokedAt &&
    other.requires !== other.leaves
  );
  const latest = (calls: readonly RegisterCall[]) =>
    calls.reduce<RegisterCall | undefined>(
      (last, one) => last === undefined || one.completedAt > last.completedAt ? one : last,
      undefined,
    );
  const shown = [
    latest(writers),
    latest(before),
    latest(changes),
    ...concurrent.sort((a, b) => b.invokedAt - a.invokedAt).slice(0, MAX_CONCURRENT_SHOWN),
    call,
  ];
  return inOrder(shown.flatMap((one) => [one?.pair.invoke, one?.pair.completion]));
}

/** Tells of a key that took too long. */
export function searchLimit({ key, known, unknown }: RegisterHistory, maxSteps: number): Finding {
  return {
    anomaly: "search-limit",
    what: `Key ${show(key)} is undecided: ${plural(known.length, "operation")} and ` +
      `${unknown.length} that may have happened took more than ${maxSteps} steps to put in order`,
    ops: [],
  };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
