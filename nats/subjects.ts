/**
 * The subjects of a cluster on a NATS server.
 *
 * | subject | who subscribes | payload |
 * |---|---|---|
 * | `eddy.CLUSTER.ID` | the node, client or service of that name | a message: `{"src","dest","body"}` |
 * | `eddy.CLUSTER.ID.rpc` | the node or service of that name | a body; its reply goes to the NATS reply subject |
 * | `eddy.CLUSTER.ID.control` | a node started with `--controlled` | a {@linkcode Control} |
 *
 * @module
 */

import { UsageError } from "@eddy/maelstrom/flags";
import { isSubjectName, SUBJECT_NAME_RULE } from "@eddy/workbench/cli/nats.ts";

export { clusterFlag, isSubjectName } from "@eddy/workbench/cli/nats.ts";

/**
 * Where a participant's messages go.
 *
 * @throws {UsageError} for a name that cannot be a part of a subject, as the other functions here.
 */
export function subjectOf(cluster: string, id: string): string {
  return `eddy.${checkedName(cluster, "cluster")}.${checkedName(id, "participant")}`;
}

/** Where requests go whose replies come to a NATS reply subject. */
export function rpcSubjectOf(cluster: string, id: string): string {
  return `${subjectOf(cluster, id)}.rpc`;
}

/** Where a node is told which messages it loses. */
export function controlSubjectOf(cluster: string, id: string): string {
  return `${subjectOf(cluster, id)}.control`;
}

function checkedName(name: string, what: string): string {
  if (isSubjectName(name)) return name;
  throw new UsageError(
    `Cannot use ${JSON.stringify(name)} as the name of a ${what}: expected ${SUBJECT_NAME_RULE}`,
  );
}

/**
 * What a node started with `--controlled` is told. What it says replaces what was said before of the
 * same; a key that is missing changes nothing. Requests on the subject `rpc` are never lost.
 */
export interface Control {
  /** The senders whose messages are dropped as they come. */
  readonly drop?: readonly string[] | undefined;
  /** The share of the messages from other nodes that is lost, 0 to 1. */
  readonly loss?: number | undefined;
  /** The share of the messages from other nodes that comes twice, 0 to 1. */
  readonly duplicate?: number | undefined;
}
