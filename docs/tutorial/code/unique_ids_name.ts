#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

const node = new Node();
let count = 0;
node.on("generate", () => ({ id: `${node.id}-${count++}` }));
await serve(node);
