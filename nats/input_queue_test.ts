import { assertEquals } from "@std/assert";
import { InputQueue } from "./input_queue.ts";

/** What is busy after each line until it is told to go on. */
function slowReceiver() {
  const taken: string[] = [];
  let room = Promise.withResolvers<void>();
  let busy = false;
  return {
    taken,
    receive(line: string) {
      taken.push(line);
      busy = true;
    },
    get busy() {
      return busy;
    },
    ready: () => room.promise,
    async goOn() {
      busy = false;
      const { resolve } = room;
      room = Promise.withResolvers();
      resolve();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
  };
}

Deno.test("lines wait in order while a receiver is busy", async () => {
  const receiver = slowReceiver();
  const queue = new InputQueue(receiver, () => {});
  assertEquals(["a", "b", "c"].map((line) => queue.push(line)), [true, true, true]);
  assertEquals(receiver.taken, ["a"]);
  await receiver.goOn();
  assertEquals(receiver.taken, ["a", "b"]);
  queue.push("d");
  await receiver.goOn();
  await receiver.goOn();
  assertEquals(receiver.taken, ["a", "b", "c", "d"]);
  await receiver.goOn();
  queue.push("e");
  assertEquals(receiver.taken.at(-1), "e");
});

Deno.test("lines beyond a number, or a length in all, are dropped", async () => {
  let dropped = 0;
  const receiver = slowReceiver();
  const queue = new InputQueue(receiver, () => dropped++);
  for (let count = 0; count < 5000; count++) queue.push("x");
  assertEquals(dropped, 5000 - 1 - 4096);
  assertEquals(queue.push("x"), false);
  await receiver.goOn();
  assertEquals(queue.push("x"), true);

  const long = "x".repeat(5 << 20);
  const other = new InputQueue(slowReceiver(), () => {});
  assertEquals([1, 2, 3, 4, 5].map(() => other.push(long)), [true, true, true, true, false]);
});

Deno.test("a queue that is closed hands on nothing", async () => {
  const receiver = slowReceiver();
  const queue = new InputQueue(receiver, () => {});
  queue.push("a");
  queue.push("b");
  queue.close();
  await receiver.goOn();
  assertEquals(queue.push("c"), false);
  assertEquals(receiver.taken, ["a"]);
});
