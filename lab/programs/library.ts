#!/usr/bin/env -S deno run --quiet
/**
 * A node in TypeScript on this project's library: echo, unique-ids and broadcast.
 *
 * Given a fault: "wrong-echo" changes what it returns, "same-ids" leaves its name out of its ids,
 * "deaf" ignores what other nodes tell it.
 */

import { errorText, Node, serve } from "@eddy/maelstrom";

const [fault] = Deno.args;
const node = new Node();
const seen = new Set<number>();
let count = 0;

node.on("echo", ({ body: { echo = null } }) => ({
  echo: fault === "wrong-echo" ? `${echo}!` : echo,
}));
node.on("generate", () => ({ id: fault === "same-ids" ? count++ : `${node.id}-${count++}` }));
node.on("topology", () => ({}));
node.on("read", () => ({ messages: [...seen] }));
node.on("broadcast", ({ body: { message } }) => {
  seen.add(Number(message));
  for (const peer of node.otherNodes) {
    const gossip = { type: "gossip", message: Number(message) };
    node.retry(() => node.rpc(peer, gossip), { timeoutMs: Infinity })
      .catch((error) => node.log(errorText(error)));
  }
  return {};
});
node.on("gossip", ({ body: { message } }) => {
  if (fault !== "deaf") seen.add(Number(message));
  return {};
});
await serve(node);
