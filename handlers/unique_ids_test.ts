import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Node, type Random } from "@eddy/maelstrom";
import { serveUniqueIds } from "./unique_ids.ts";

/** A node of the given name, and a function that asks it for an id. */
async function generator(name: string, random?: Random) {
  let last = "";
  const output = { write: (line: string) => void (last = line) };
  const node = new Node({ output, ...(random && { random }) });
  serveUniqueIds(node);
  const body = { type: "init", msg_id: 1, node_id: name, node_ids: [name] };
  node.receive(JSON.stringify({ src: "c0", dest: name, body }));
  await new Promise((resolve) => setImmediate(resolve));
  const request = JSON.stringify({ src: "c1", dest: name, body: { type: "generate", msg_id: 1 } });
  return (): string => {
    node.receive(request);
    return JSON.parse(last).body.id;
  };
}

Deno.test("a process never repeats an id", async () => {
  const next = await generator("n1");
  const count = 200_000;
  const ids = new Set(Array.from({ length: count }, next));
  assertEquals(ids.size, count);
  for (const id of [...ids].slice(-3)) assert(id.length <= 20, id);
});

Deno.test("nodes and restarts make different ids, also from the same draws", async () => {
  const half = () => ({ next: () => 0.5 });
  const [a, b] = await Promise.all([generator("n1", half()), generator("n2", half())]);
  assertNotEquals(a(), b());
  const [first, restarted] = await Promise.all([generator("n1"), generator("n1")]);
  assertNotEquals(first(), restarted());
});
