/**
 * The subjects of a cluster on a NATS server, and the names that may stand in them.
 *
 * | subject | who subscribes | payload |
 * |---|---|---|
 * | `eddy.CLUSTER.ID` | the node, client or service of that name | a whole message: `{"src","dest","body"}` |
 * | `eddy.CLUSTER.ID.rpc` | the node or service of that name | a body; its reply goes to the NATS reply subject |
 * | `eddy.CLUSTER.ID.control` | a node started with `--controlled` | which messages it loses |
 *
 * @module
 */

import { type Flags, UsageError } from "@eddy/maelstrom/flags";

/** The cluster of those that name none. */
export const DEFAULT_CLUSTER = "eddy";

/** How many characters the name of a cluster or of a participant may have. */
const MAX_NAME_CHARS = 64;

/** What {@linkcode isSubjectName} accepts, for error messages. */
const NAME_RULE = `1 to ${MAX_NAME_CHARS} letters, digits, - and _`;

/**
 * Whether a name can be a part of a subject. Others could hold a dot or a wildcard, which would make
 * them another subject, or many.
 */
export function isSubjectName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && /^[A-Za-z0-9_-]+$/.test(name);
}

/** The flag that names a cluster. */
export const clusterFlag = {
  cluster: {
    help: "The cluster's name: those of other names on the same server do not meet",
    value: "NAME",
    accepts: NAME_RULE,
    parse: subjectName,
    default: DEFAULT_CLUSTER,
  },
} satisfies Flags;

/** A flag's value that can be a part of a subject. */
export function subjectName(text: string): string | undefined {
  return isSubjectName(text) ? text : undefined;
}

/** Where a participant's messages go. */
export function subjectOf(cluster: string, id: string): string {
  return `eddy.${checked(cluster, "cluster")}.${checked(id, "participant")}`;
}

/** Where requests go whose replies come to a NATS reply subject. */
export function rpcSubjectOf(cluster: string, id: string): string {
  return `${subjectOf(cluster, id)}.rpc`;
}

/** Where a node is told which messages it loses. */
export function controlSubjectOf(cluster: string, id: string): string {
  return `${subjectOf(cluster, id)}.control`;
}

function checked(name: string, what: string): string {
  if (isSubjectName(name)) return name;
  throw new UsageError(
    `Cannot use ${JSON.stringify(name)} as the name of a ${what}: expected ${NAME_RULE}`,
  );
}

/** What a node started with `--controlled` is told; each message replaces what those before said. */
export interface Control {
  /** The senders whose messages are dropped as they come; a list replaces the one before. */
  readonly drop?: readonly string[] | undefined;
  /** The share of the messages from other nodes that is lost, 0 to 1. */
  readonly loss?: number | undefined;
  /** The share of the messages from other nodes that comes twice, 0 to 1. */
  readonly duplicate?: number | undefined;
}
