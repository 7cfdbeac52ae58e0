/**
 * The workloads that the node binary serves, by Maelstrom's names.
 *
 * @module
 */

import type { Node } from "../node/node.ts";
import { serveEcho } from "./echo.ts";
import { serveUniqueIds } from "./unique_ids.ts";

/** A workload: what it is, and how a node comes to serve it. */
export interface Workload {
  /** One line for `--help`. */
  readonly summary: string;
  /** Registers the handlers. */
  readonly serve: (node: Node) => void;
}

/** All workloads with handlers. */
export const workloads: Readonly<Record<string, Workload>> = {
  echo: { summary: "says back what it is told", serve: serveEcho },
  "unique-ids": { summary: "makes ids that no other node makes", serve: serveUniqueIds },
};
