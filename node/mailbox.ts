/**
 * Mailboxes run one task at a time, in order: for what must stay true across an `await`.
 *
 * @module
 */

/**
 * Runs tasks one after the other, in the order they came.
 *
 * Between two `await`s of a task other handlers run, but no other task of the same mailbox.
 * A task that fails rejects its own promise and no other.
 *
 * @example A counter read and written back across a wait
 * ```ts
 * import { Mailbox } from "@eddy/maelstrom";
 * import { assertEquals } from "@std/assert";
 *
 * const mailbox = new Mailbox();
 * let stored = 0;
 * const add = () =>
 *   mailbox.run(async () => {
 *     const before = stored;
 *     await Promise.resolve();
 *     stored = before + 1;
 *   });
 * await Promise.all([add(), add(), add()]);
 * assertEquals(stored, 3);
 * ```
 */
export class Mailbox {
  #last: Promise<unknown> = Promise.resolve();
  #size = 0;

  /** How many tasks wait or run. */
  get size(): number {
    return this.#size;
  }

  /**
   * Runs `task` when all earlier tasks have ended.
   *
   * @returns what the task returns.
   */
  run<T>(task: () => T | Promise<T>): Promise<T> {
    this.#size++;
    const result = this.#last.then(task);
    const settled = () => {
      this.#size--;
    };
    this.#last = result.then(settled, settled);
    return result;
  }
}

/**
 * A {@linkcode Mailbox} per key: tasks of one key run in order, those of different keys freely.
 *
 * A key's mailbox is removed when its last task has ended, so many keys cost nothing.
 *
 * @example
 * ```ts
 * import { KeyedMailbox } from "@eddy/maelstrom";
 * import { assertEquals } from "@std/assert";
 *
 * const mailboxes = new KeyedMailbox<string>();
 * const order: string[] = [];
 * const slow = mailboxes.run("a", async () => {
 *   await mailboxes.run("b", () => void order.push("b"));
 *   order.push("a1");
 * });
 * await Promise.all([slow, mailboxes.run("a", () => void order.push("a2"))]);
 * assertEquals(order, ["b", "a1", "a2"]);
 * assertEquals(mailboxes.size, 0);
 * ```
 */
export class KeyedMailbox<K> {
  readonly #mailboxes = new Map<K, Mailbox>();

  /** How many keys have tasks waiting or running. */
  get size(): number {
    return this.#mailboxes.size;
  }

  /**
   * Runs `task` when all earlier tasks of the same key have ended.
   *
   * @returns what the task returns.
   */
  async run<T>(key: K, task: () => T | Promise<T>): Promise<T> {
    const mailbox = this.#mailboxes.get(key) ?? new Mailbox();
    this.#mailboxes.set(key, mailbox);
    try {
      return await mailbox.run(task);
    } finally {
      if (mailbox.size === 0) this.#mailboxes.delete(key);
    }
  }
}
