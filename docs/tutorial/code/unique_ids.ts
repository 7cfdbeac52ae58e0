#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

const node = new Node();
const tag = crypto.randomUUID();
let count = 0;
node.on("generate", () => ({ id: `${node.id}-${tag}-${count++}` }));
await serve(node);
