import { assertEquals } from "@std/assert";
import { Membership } from "./membership.ts";

Deno.test("a first process holds what is stable, and one that follows another only what it says", () => {
  const { peers: [peer] } = new Membership("n0", ["n0", "n1"]);
  const stable = [5, 7];
  assertEquals(peer?.seq(1, stable), 7, "it has not been heard from");
  assertEquals(peer?.restart("t", 0), false);
  assertEquals(peer?.seq(1, stable), 7);
  peer?.restart("t.1", 0);
  peer?.learn([5, 2]);
  assertEquals([peer?.seq(0, stable), peer?.seq(1, stable)], [5, 2]);
});

Deno.test("the first message of a process shows whether it follows another", () => {
  const { peers: [peer] } = new Membership("n0", ["n0", "n1"]);
  assertEquals(peer?.restart("t.1", 0), false, "no process before it was heard");
  assertEquals(peer?.seq(1, [5, 7]), 0, "what others say of that one does not hold for it");
});

Deno.test("what a node held before does not show that a message has arrived", () => {
  const { peers: [peer] } = new Membership("n0", ["n0", "n1"]);
  peer?.expectEcho(0, 100, 5, 4);
  assertEquals(peer?.timesOut(100, 5, 5), false, "it holds what was new to it");
  peer?.expectEcho(200, 100, 5, 5);
  assertEquals(peer?.timesOut(300, 5, 5), true, "it held all of this node's events already");
});
