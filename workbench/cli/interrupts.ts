/**
 * Signals that ask the workbench to stop.
 *
 * @module
 */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Turns the first signal into an orderly end; a second one ends the workbench at once. */
export class Interrupts {
  readonly #controller = new AbortController();
  readonly #listeners = SIGNALS.map((signal) => {
    const listener = () => {
      this.ignore();
      this.#controller.abort(new Error(`The run was interrupted by ${signal}`));
    };
    Deno.addSignalListener(signal, listener);
    return [signal, listener] as const;
  });

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves signals to the system again. */
  ignore(): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
