/**
 * The first message of a node's life.
 *
 * @module
 */

import { ErrorCode, RpcError } from "./errors.ts";
import type { Message } from "./message.ts";
import type { NodeState } from "./state.ts";

/**
 * Takes the node's name and its peers from `init` and runs the hooks.
 *
 * From here to `init_ok` the phase is `starting`, in which messages are kept; if a hook fails, the
 * node is new again.
 *
 * @throws {RpcError} with code 12 if a name is missing.
 */
export async function initialize(
  state: NodeState,
  { body }: Message<object>,
  hooks: readonly (() => void | Promise<void>)[],
): Promise<void> {
  const { node_id, node_ids } = body as { node_id?: unknown; node_ids?: unknown };
  if (typeof node_id !== "string") throw malformed("node_id", "a string");
  if (!isListOfStrings(node_ids)) throw malformed("node_ids", "a list of strings");
  state.phase = "starting";
  state.nodeId = node_id;
  state.nodeIds = Object.freeze([...node_ids]);
  try {
    for (const hook of hooks) await hook();
  } catch (error) {
    state.phase = "new";
    throw error;
  }
}

function isListOfStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function malformed(field: string, expected: string): RpcError {
  return new RpcError(ErrorCode.malformedRequest, `Malformed init: ${field} must be ${expected}`);
}
