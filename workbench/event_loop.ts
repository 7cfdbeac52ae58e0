/**
 * Turns of the event loop, under Deno and in a browser.
 *
 * @module
 */

/** What Deno has of Node.js, and a browser has not. */
interface Runtime {
  readonly process?: { readonly nextTick: (callback: () => void) => void };
  readonly setImmediate?: (callback: () => void) => void;
}

const { process, setImmediate } = globalThis as Runtime;

/**
 * Calls a function when no promise callback is left to run.
 *
 * A fixed number of awaits would not do: chains of promises can be of any length. A turn of the
 * event loop would, and is what a browser has. In Deno it takes five times as long as a tick, which
 * also waits for an empty queue of microtasks, provided that it is requested from within one.
 */
export const afterPromises: (callback: () => void) => void = process === undefined
  ? posting()
  : (callback) => queueMicrotask(() => process.nextTick(callback));

/**
 * Calls a function in another turn of the event loop, after rejections have been reported that
 * nothing has caught.
 */
export const nextTurn: (callback: () => void) => void = setImmediate ??
  // A browser reports rejections in a task of its own, which it adds when the promise callbacks
  // have run: behind a message that was posted before, and so one more is posted.
  ((callback) => afterPromises(() => afterPromises(callback)));

/** Makes a function that calls others in the order it is given them, a turn of the loop each. */
function posting(): (callback: () => void) => void {
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(undefined);
  };
}
