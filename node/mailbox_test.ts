import { assertEquals, assertRejects } from "@std/assert";
import { settle } from "./testing.ts";
import { KeyedMailbox, Mailbox } from "./mailbox.ts";

Deno.test("Mailbox keeps order however long each task takes", async () => {
  const mailbox = new Mailbox();
  const order: number[] = [];
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const tasks = gates.map(({ promise }, i) =>
    mailbox.run(async () => {
      await promise;
      order.push(i);
      return i;
    })
  );
  for (const { resolve } of gates.toReversed()) {
    resolve();
    await settle();
  }
  assertEquals(await Promise.all(tasks), [0, 1, 2]);
  assertEquals(order, [0, 1, 2]);
  assertEquals(mailbox.size, 0);
});

Deno.test("Mailbox goes on after a task that fails", async () => {
  const mailbox = new Mailbox();
  const failed = mailbox.run(() => {
    throw new Error("no");
  });
  const next = mailbox.run(() => "yes");
  await assertRejects(() => failed, Error, "no");
  assertEquals(await next, "yes");
  assertEquals(mailbox.size, 0);
});

Deno.test("KeyedMailbox holds up only its own key and forgets keys", async () => {
  const mailboxes = new KeyedMailbox<string>();
  const gate = Promise.withResolvers<void>();
  const slow = mailboxes.run("a", () => gate.promise);
  const behind = mailboxes.run("a", () => "behind");
  assertEquals(await mailboxes.run("b", () => "free"), "free");
  assertEquals(mailboxes.size, 1);
  gate.resolve();
  await slow;
  assertEquals(await behind, "behind");
  await settle();
  assertEquals(mailboxes.size, 0);
});

Deno.test("a task that runs another of its own mailbox is told so at once", async () => {
  const mailbox = new Mailbox();
  const keyed = new KeyedMailbox<string>();
  const other = new Mailbox();
  const says = "Cannot run a task inside another of the same mailbox";
  const run = () => mailbox.run(() => "inner");
  const nested: (() => Promise<unknown>)[] = [
    () => mailbox.run(run),
    () => mailbox.run(async () => await run()),
    () =>
      mailbox.run(async () => {
        await settle();
        return await run();
      }),
    () =>
      mailbox.run(() =>
        other.run(async () => {
          await Promise.resolve();
          return await run();
        })
      ),
    () => mailbox.run(() => Promise.all([Promise.resolve().then(run)])),
    () =>
      mailbox.run(() =>
        new Promise((resolve, reject) => {
          setTimeout(() => {
            try {
              resolve(run());
            } catch (error) {
              reject(error);
            }
          }, 1);
        })
      ),
    () => keyed.run("a", () => keyed.run("b", () => keyed.run("a", () => "inner"))),
  ];
  for (const [index, attempt] of nested.entries()) {
    const ended = await Promise.race([
      assertRejects(attempt, Error, says),
      new Promise((resolve) => setTimeout(resolve, 1000, "deadlock")),
    ]);
    assertEquals(ended instanceof Error, true, `case ${index}: ${ended}`);
  }
  assertEquals(await run(), "inner");
  assertEquals([mailbox.size, other.size, keyed.size], [0, 0, 0]);
});

Deno.test("tasks that others run meanwhile, or that a task leaves for later, are none of its own", async () => {
  const mailbox = new Mailbox();
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const later = Promise.withResolvers<void>();
  const slow = mailbox.run(async () => {
    await gate.promise;
    void later.promise.then(() => mailbox.run(() => void order.push("later")));
    order.push("slow");
  });
  const meanwhile = mailbox.run(() => void order.push("meanwhile"));
  await settle();
  gate.resolve();
  await Promise.all([slow, meanwhile]);
  later.resolve();
  await settle();
  await mailbox.run(() => {});
  assertEquals(order, ["slow", "meanwhile", "later"]);
});
