import { assertEquals } from "@std/assert";
import { createRealWorld, createVirtualWorld } from "./world.ts";

Deno.test("the real world has the same draws, and a clock that runs", async () => {
  const world = createRealWorld(9);
  assertEquals(world.random("a").next(), createVirtualWorld(9).random("a").next());
  const { clock, network } = world;
  const start = clock.now();
  const arrived = await world.run(() =>
    new Promise((resolve) => {
      network.open("n0", () => resolve("delivered"));
      network.send({ src: "n0", dest: "n0", body: { type: "hello" } });
      clock.schedule(0, () => {
        throw new Error("Cancelled");
      })();
    })
  );
  assertEquals(arrived, "delivered");
  await new Promise<void>((resolve) => clock.schedule(2, resolve));
  assertEquals(clock.now() > start, true);
});
