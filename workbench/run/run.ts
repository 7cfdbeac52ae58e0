/**
 * A run from its first node to its last: the stages, in Maelstrom's order.
 *
 * @module
 */

import { Client, ClientIds } from "../clients/client.ts";
import type { Op } from "../history.ts";
import type { RunOptions, World } from "../types.ts";
import type { Generator, MainGenerator, WorkloadSpec } from "../workloads/spec.ts";
import { workloadSpecs } from "../workloads/workloads.ts";
import { Phase, type PhaseSettings } from "./phase.ts";
import { type NemesisOp, type OpCounts, Recorder } from "./recorder.ts";
import { callOn, Workers } from "./workers.ts";

/** The nodes under test, with the services beside them. */
export interface RunCluster {
  /**
   * Starts services and nodes, and has every node answer `init`.
   *
   * @param ids where the clients that send `init` get their names, before all others
   */
  start(ids: ClientIds): Promise<void> | void;
  /** Ends nodes and services; also called when starting them failed, or is still under way. */
  stop(): Promise<void> | void;
}

/** Who injects faults. */
export interface RunNemesis {
  /** Begins to, with the first fault at once, and tells of each one's two ends. */
  start(record: (op: NemesisOp) => void): void;
  /** Injects no more faults; what is broken stays so. Harmless when repeated. */
  stop(): void;
  /** Repairs everything; called after {@linkcode RunNemesis.stop}, if at all. */
  heal(): Promise<void> | void;
}

/** Where a run stands. */
export type Stage = "start" | "setup" | "main" | "heal" | "recovery" | "final" | "stop" | "done";

/** What an observer is told. */
export interface Progress {
  /** Where the run stands. */
  readonly stage: Stage;
  /** Milliseconds since the main phase began. */
  readonly elapsedMs: number;
  /** What clients have done so far. */
  readonly counts: OpCounts;
}

/** Everything that makes a run. */
export interface TestSetup {
  readonly world: World;
  readonly options: RunOptions;
  readonly cluster: RunCluster;
  /** Nothing breaks without one. */
  readonly nemesis?: RunNemesis;
  /**
   * What clients do and how it is judged.
   *
   * @default the workload that the options name
   */
  readonly spec?: WorkloadSpec;
  /** Told at the beginning of every stage, and once a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Breaks the run off, say when a node breaks the protocol; the reason becomes its error. */
  readonly signal?: AbortSignal;
}

/** What is left of a run. */
export interface RunOutcome {
  /** All that happened, up to where the run broke off if it did. */
  readonly history: readonly Op[];
  readonly counts: OpCounts;
  /** When the history begins, by the world's clock. */
  readonly startMs: number;
  /** The stage in which the run broke off, and why; absent if it went to its end. */
  readonly broke?: { readonly stage: Stage; readonly error: Error };
}

/** How long nodes get to recover before the final phase. */
const RECOVERY_MS = 10_000;

/** How often an observer is told. */
const PROGRESS_INTERVAL_MS = 1000;

/**
 * Runs a workload against a cluster.
 *
 * Starts the cluster, sets nodes up, lets clients and nemesis loose up to the time limit, and, if
 * the workload has a final phase, heals, waits and runs that. Never throws: a run that could not
 * be brought to its end says why, beside the history up to there.
 *
 * @example
 * ```ts ignore
 * const { history, broke } = await world.run(() => runTest({ world, cluster, options }));
 * ```
 */
export async function runTest(setup: TestSetup): Promise<RunOutcome> {
  const run = new TestRun(setup);
  try {
    await run.orAborted(() => run.live());
  } catch (error) {
    run.breakOff(error);
  }
  await run.end();
  return run.outcome;
}

class TestRun {
  readonly #setup: TestSetup;
  readonly #spec: WorkloadSpec;
  readonly #ids = new ClientIds();
  readonly #recorder: Recorder;
  readonly #workers: Workers;
  readonly #setupClients: Client[] = [];
  #stage: Stage = "start";
  #phase: Phase | undefined;
  #broke: RunOutcome["broke"];
  #over = false;
  #cancelTick = () => {};

  constructor(setup: TestSetup) {
    const { world, options, spec } = setup;
    const { clock, network } = world;
    this.#setup = setup;
    this.#spec = spec ?? workloadSpecs[options.workload];
    this.#recorder = new Recorder(clock);
    this.#workers = new Workers({
      network,
      clock,
      ids: this.#ids,
      spec: this.#spec,
      options,
      random: world.random("threads"),
    });
  }

  get outcome(): RunOutcome {
    const { history, counts, startMs } = this.#recorder;
    return {
      history,
      counts,
      startMs,
      ...(this.#broke === undefined ? {} : { broke: this.#broke }),
    };
  }

  /** Remembers why the run broke off, the first time. */
  breakOff(error: unknown): void {
    this.#broke ??= {
      stage: this.#stage,
      error: error instanceof Error ? error : new Error(String(error)),
    };
  }

  /** Everything up to the end of the last phase. */
  async live(): Promise<void> {
    this.#enter("start");
    this.#tick();
    await this.#setup.cluster.start(this.#ids);
    if (this.#over) return;
    this.#enter("setup");
    await this.#setUp();
    if (this.#over) return;
    const { options, world } = this.#setup;
    const generator = this.#spec.generator(options, world.random("generator"));
    this.#recorder.start();
    this.#enter("main");
    await this.#main(generator);
    if (!this.#over && generator.final !== undefined) await this.#final(generator);
  }

  /** Clears up, whatever has happened; one part that fails does not keep the next from it. */
  async end(): Promise<void> {
    const begun = this.#stage !== "start" && this.#stage !== "setup";
    this.#over = true;
    this.#phase?.stop();
    const parts = [
      () => begun ? this.#setup.nemesis?.stop() : undefined,
      () => this.#enter("stop"),
      () => this.#workers.close(),
      ...this.#setupClients.map((client) => () => client.close()),
      () => this.#setup.cluster.stop(),
      () => this.#cancelTick(),
      () => this.#enter("done"),
    ];
    for (const part of parts) {
      try {
        await part();
      } catch (error) {
        this.breakOff(error);
      }
    }
  }

  /** Waits for `work`, but no longer than until the run is broken off. */
  orAborted(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#setup;
    if (signal === undefined) return work();
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      work().then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }

  /** Opens a client for every node and lets it prepare the node, all at the same time. */
  async #setUp(): Promise<void> {
    const { world: { clock, network }, options } = this.#setup;
    for (const _node of options.nodeIds) {
      this.#setupClients.push(new Client({ clock, network, ids: this.#ids }));
    }
    await Promise.all(this.#setupClients.map(async (client, i) => {
      const node = options.nodeIds[i] as string;
      try {
        await this.#spec.setup?.(callOn(client, node), options);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`Cannot set up node ${node}: ${why}`, { cause: error });
      }
    }));
  }

  async #main(generator: MainGenerator): Promise<void> {
    const { options: { rate, timeLimitSeconds }, nemesis } = this.#setup;
    const limitMs = timeLimitSeconds * 1000;
    nemesis?.start((op) => {
      if (!this.#over) this.#recorder.nemesis(op);
    });
    const onEmitted = () => nemesis?.stop();
    if (rate === 0) {
      await this.#sleep(limitMs);
      onEmitted();
    } else {
      await this.#run(generator, { intervalMs: 1000 / rate, limitMs, onEmitted });
    }
  }

  async #final(main: MainGenerator): Promise<void> {
    this.#enter("heal");
    await this.#setup.nemesis?.heal();
    if (this.#over) return;
    this.#enter("recovery");
    await this.#sleep(RECOVERY_MS);
    const phase = main.final?.();
    if (this.#over || phase === undefined) return;
    this.#enter("final");
    const { generator, limitMs } = phase;
    await this.#run(generator, limitMs === undefined ? {} : { limitMs });
  }

  #run(generator: Generator, settings: PhaseSettings): Promise<void> {
    const { clock, random } = this.#setup.world;
    this.#phase = new Phase(generator, settings, {
      clock,
      random: random("stagger"),
      workers: this.#workers,
      recorder: this.#recorder,
      spec: this.#spec,
    });
    return this.#phase.run();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#setup.world.clock.schedule(ms, resolve));
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#tell();
  }

  #tell(): void {
    const { counts, elapsedMs } = this.#recorder;
    this.#setup.onProgress?.({ stage: this.#stage, elapsedMs, counts });
  }

  #tick(): void {
    if (this.#setup.onProgress === undefined) return;
    this.#cancelTick = this.#setup.world.clock.schedule(PROGRESS_INTERVAL_MS, () => {
      this.#tell();
      this.#tick();
    });
  }
}
