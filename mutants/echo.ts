/**
 * Right and wrong nodes for `echo`.
 *
 * @module
 */

import { echoSchema } from "@eddy/handlers";
import { ErrorCode, type Node, RpcError } from "@eddy/maelstrom";
import { nowAndThen, serveAlone } from "./authority.ts";
import type { Mutant } from "./mutant.ts";
import { type AsyncServer, ok, type Reference } from "./reference.ts";

/** Right nodes for `echo`. */
export const echo: Reference = {
  workload: "echo",
  schema: echoSchema,
  inMemory: () => (body) => ok(body, { echo: body.echo ?? null }),
  onStore: () => ({ echo = null }) => ({ echo }),
};

function echoes(name: string, anomaly: string, make: (node: Node) => AsyncServer): Mutant {
  return {
    name,
    workload: "echo",
    anomaly,
    install: (node) => serveAlone(node, echo, make(node)),
  };
}

/** Wrong nodes for `echo`. */
export const echoMutants: readonly Mutant[] = [
  echoes("echoes something else now and then", "wrong-echo", (node) => ({ echo = null }) => ({
    echo: nowAndThen(node, 0.02) ? `${echo}!` : echo,
  })),
  echoes("echoes what was said before", "wrong-echo", () => {
    let last: AsyncServer = ({ echo = null }) => ({ echo });
    return (body, asked) => {
      const answer = last(body, asked);
      last = () => ({ echo: body.echo ?? null });
      return answer;
    };
  }),
  echoes("refuses to echo now and then", "wrong-echo", (node) => ({ echo = null }) => {
    if (nowAndThen(node, 0.02)) throw new RpcError(ErrorCode.abort, "Not now");
    return { echo };
  }),
  {
    ...echoes(
      "does not answer now and then",
      "unavailable",
      (node) => ({ echo = null }) => nowAndThen(node, 0.02) ? undefined : { echo },
    ),
    needs: { availability: "total" },
  },
];
