#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

const node = new Node();

node.on("echo", ({ src, body }) => {
  node.log(`received echo from ${src}`);
  return { echo: body.echo };
});

await serve(node);
