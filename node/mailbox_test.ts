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
