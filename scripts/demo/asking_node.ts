/**
 * A node whose handler waits for another node's reply, for the demo.
 *
 * @module
 */

import { Node, RpcError, serve } from "@eddy/maelstrom";

const node = new Node();

node.on("echo", ({ body }) => ({ echo: body.echo }));

// Nothing is read before the `await` and written after it, so nothing needs to be re-checked.
node.on("ask", async ({ body }) => {
  const { question = null, of } = body;
  if (typeof of !== "string") throw new RpcError(12, "Malformed ask: of must be a node's name");
  const { answer } = await node.rpc(of, { type: "question", question }, { timeoutMs: 5000 });
  return { answer };
});

await serve(node);
