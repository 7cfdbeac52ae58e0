import { assert, assertEquals, assertRejects } from "@std/assert";
import { ping } from "./ping.ts";
import { withNodes } from "./target.ts";

const ignore = Deno.build.os !== "linux"; // It opens pipes by /proc.

Deno.test("every node is sent its requests, and each has a round trip", { ignore }, async () => {
  const cat = { name: "cat", command: "cat", mirror: true };
  const [first, second] = await withNodes(
    [{ target: cat }, { target: cat }],
    (nodes) => ping(nodes, 500, 1),
  );
  assert(first !== undefined && second !== undefined);
  assertEquals([first.length, second.length], [500, 500]);
  for (const times of [first, second]) {
    assert(times.every((time, index) => time > 0 && time >= (times[index - 1] ?? 0)));
  }
});

Deno.test("a node that ends while it is pinged is named", { ignore }, async () => {
  const target = { name: "brief", command: "sed -u 5q", mirror: true };
  await assertRejects(
    () => withNodes([{ target }], (nodes) => ping(nodes, 100, 1)),
    Error,
    "Cannot measure brief: it ended with exit code 0",
  );
});
