/**
 * Mailboxes run one task at a time, in order: for what must stay true across an `await`.
 *
 * @module
 */

/** A task that has begun, and the task that it was started in. */
interface Running {
  readonly mailbox: Mailbox;
  readonly outer: Running | undefined;
  ended: boolean;
}

/** What {@linkcode AsyncLocalStorage} of `node:async_hooks` is, as far as it is used here. */
interface TaskStorage {
  getStore(): Running | undefined;
  run<T>(running: Running, task: () => T): T;
}

let shared: TaskStorage | undefined;

/** The innermost task of the code that runs now; loaded by the first mailbox, since it takes 20 ms. */
function taskStorage(): TaskStorage {
  if (shared === undefined) {
    const { AsyncLocalStorage } = globalThis.process.getBuiltinModule("node:async_hooks");
    shared = new AsyncLocalStorage<Running>();
  }
  return shared as TaskStorage;
}

/**
 * Runs tasks one after the other, in the order they came.
 *
 * Between two `await`s of a task other handlers run, but no other task of the same mailbox.
 * A task that fails rejects its own promise and no other.
 *
 * A task must not run another of the same mailbox, at once, after an `await` or through a third: it
 * would wait for itself. What a task starts and does not await counts as part of it until it ends.
 * Two tasks of two mailboxes, each of which waits for the other's mailbox, are not detected: take
 * mailboxes in one order.
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
  readonly #tasks = taskStorage();
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
   * @throws {Error} inside another task of this mailbox that has not ended.
   */
  run<T>(task: () => T | Promise<T>): Promise<T> {
    let outer = this.#tasks.getStore();
    while (outer?.ended) outer = outer.outer; // Not kept, so that no chain of tasks grows.
    for (let around = outer; around !== undefined; around = around.outer) {
      if (around.mailbox !== this || around.ended) continue;
      throw new Error(
        "Cannot run a task inside another of the same mailbox: it would wait for itself for ever",
      );
    }
    const running: Running = { mailbox: this, outer, ended: false };
    this.#size++;
    const result = this.#last.then(() => this.#tasks.run(running, task));
    const settled = () => {
      running.ended = true;
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

  /** Makes a mailbox of no keys yet. */
  constructor() {
    taskStorage();
  }

  /** How many keys have tasks waiting or running. */
  get size(): number {
    return this.#mailboxes.size;
  }

  /**
   * Runs `task` when all earlier tasks of the same key have ended.
   *
   * @returns what the task returns.
   * @throws {Error} inside another task of the same key that has not ended.
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
