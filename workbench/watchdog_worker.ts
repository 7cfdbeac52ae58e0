/**
 * The thread of {@linkcode startWatchdog}: looks once a second whether there was any activity.
 *
 * @module
 */

import { currentThread, type ThreadScope, type WatchOrder } from "./threads.ts";
import { SharedActivity } from "./watchdog.ts";

/** Watches what the order names. */
function watch({ buffer, limitSeconds }: WatchOrder): void {
  const activity = new SharedActivity(buffer);
  let last = activity.read();
  let idleSeconds = 0;
  setInterval(() => {
    const now = activity.read();
    const isIdle = now.seed !== undefined && now.beats === last.beats;
    idleSeconds = isIdle ? idleSeconds + 1 : 0;
    last = now;
    if (idleSeconds < limitSeconds) return;
    const what = now.message === "" ? "a timer" : `the message ${now.message}`;
    const text =
      `Node ${now.node} has not returned from ${what} for ${limitSeconds} s, and nothing ` +
      `else can run meanwhile (seed ${now.seed}): the workbench gives up`;
    // A module with better quotation would take as long to load as the rest of a short run.
    const line = text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "?");
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
    } catch {
      // Whether it can be said or not, the process must end.
    }
    // A worker cannot end the process with an exit code of its choice.
    Deno.kill(Deno.pid, "SIGKILL");
  }, 1000);
}

// In a bundle this module is loaded by every thread.
if (currentThread() === "watchdog") {
  const scope = self as unknown as ThreadScope<WatchOrder>;
  scope.onmessage = ({ data: order }) => watch(order);
}
