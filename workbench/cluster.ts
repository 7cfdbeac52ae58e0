/**
 * The nodes under test, with the services beside them: how they start, die and come back.
 *
 * @module
 */

import { Client, type ClientIds, INIT_TIMEOUT_MS, ReplyTimeout } from "./client.ts";
import type { Disks, Loss, SimulatedDisk } from "./disk.ts";
import type { Compute } from "./in_process.ts";
import { MachineClock } from "./machine_clock.ts";
import type { Observation } from "@eddy/maelstrom";
import type { Packet } from "./network.ts";
import { parseObservation } from "./observations.ts";
import { type ExitStatus, type ProtocolError, ProtocolErrors, Stdout } from "./protocol.ts";
import { Services } from "./services.ts";
import type { World } from "./world.ts";

/** Settings of a cluster. */
export interface ClusterOptions {
  readonly world: World;
  readonly nodeIds: readonly string[];
  /**
   * Mute a node that breaks the protocol, rather than fail.
   *
   * @default false
   */
  readonly strictMaelstrom?: boolean | undefined;
  /**
   * Reproduce the bugs of Maelstrom's services.
   *
   * @default false
   */
  readonly maelstromBugs?: boolean | undefined;
  /**
   * Keep messages between nodes back until their receiver has answered `init`. Where programs start
   * at different speeds, one that is up early would else be heard by peers that are not.
   *
   * @default false
   */
  readonly holdUntilInit?: boolean | undefined;
  /**
   * How long nodes in this process take over each message and timer.
   *
   * @default no time
   */
  readonly compute?: Compute | undefined;
  /**
   * The disks of nodes in this process.
   *
   * @default none: what a node writes to its storage ends with it
   */
  readonly disks?: Disks | undefined;
  /**
   * Whether nodes go by the clock of the machine that this runs on, as processes do.
   *
   * @default false
   */
  readonly realClocks?: boolean | undefined;
  /** Called when a node has broken the protocol; never with `strictMaelstrom`. */
  readonly onProtocolError?: ((error: ProtocolError) => void) | undefined;
  /** Called for every line of a node's log. */
  readonly onLog?: ((node: string, text: string) => void) | undefined;
  /** Called with what a node tells of itself, also in its log. */
  readonly onObservation?: ((node: string, observation: Observation) => void) | undefined;
}

/** A process of a node, from its start to its death. */
export interface Incarnation {
  /** Hands it a message. */
  deliver(packet: Packet): void;
  /** Ends it at once; resolves when it is gone. */
  kill(): Promise<void>;
  /** Pauses it. */
  pause(): void;
  /** Lets it continue. */
  resume(): void;
  /** Its process; absent where it has none of its own. */
  readonly pid?: number;
  /** What it has written that nobody has read yet, for a report; absent where nothing can be. */
  unread?(): string;
}

/** What an incarnation is started with. */
export interface LaunchContext {
  readonly node: string;
  /** How often this node was started, this time included. */
  readonly generation: number;
  readonly world: World;
  /** The clock of its machine, which goes on when it dies. */
  readonly clock: MachineClock;
  readonly stdout: Stdout;
  /** Its disk, if it has a simulated one. */
  readonly disk: SimulatedDisk | undefined;
  readonly log: (text: string) => void;
  /** Takes what it tells of itself. */
  readonly observe: (observation: Observation) => void;
  /** Called when it has ended without being killed. */
  readonly onExit: (status: ExitStatus, recentLog: readonly string[]) => void;
}

/** Starts a node. */
type Launcher = (context: LaunchContext) => Incarnation;

interface Member {
  readonly name: string;
  readonly clock: MachineClock;
  generation: number;
  /** Undefined while it is down. */
  incarnation: Incarnation | undefined;
  stdout: Stdout | undefined;
  initialization: Initialization | undefined;
}

/**
 * A cluster of nodes, in this process or in processes of their own.
 *
 * All methods are idempotent: a node that is down does not crash, one that is up is not started.
 */
export class Cluster {
  /** The names of the nodes. */
  readonly nodeIds: readonly string[];
  readonly #options: ClusterOptions;
  readonly #launch: Launcher;
  readonly #onStopped: () => void | Promise<void>;
  readonly #members = new Map<string, Member>();
  readonly #errors: ProtocolErrors;
  #services: Services | undefined;
  #ids: ClientIds | undefined;
  #stopped = false;

  /**
   * @param launch starts one node
   * @param onStopped called when all of them have ended
   */
  constructor(
    options: ClusterOptions,
    launch: Launcher,
    onStopped: () => void | Promise<void> = () => {},
  ) {
    this.#options = options;
    this.#launch = launch;
    this.#onStopped = onStopped;
    this.nodeIds = options.nodeIds;
    this.#errors = new ProtocolErrors(options);
  }

  /** How nodes have broken the protocol; one error for each process at most. */
  get protocolErrors(): readonly ProtocolError[] {
    return this.#errors.errors;
  }

  /** Late replies, unanswered requests, muted nodes: one sentence each. */
  get warnings(): readonly string[] {
    return [...this.#errors.warnings, ...this.#services?.warnings ?? []];
  }

  /** How many replies came after their client was closed. */
  get lateReplies(): number {
    return this.#errors.lateReplies;
  }

  /**
   * Starts services and nodes, and waits until every node has answered `init`.
   *
   * @param ids where the clients that send `init` get their names
   * @throws {Error} if a node cannot be started, or does not answer `init` within 10 s.
   * @throws {ProtocolError} if a node breaks the protocol meanwhile.
   */
  async start(ids: ClientIds): Promise<void> {
    const { world: { network, random, clock }, maelstromBugs = false } = this.#options;
    this.#ids = ids;
    this.#services = new Services({ network, random, maelstromBugs });
    for (const name of this.nodeIds) {
      const member: Member = {
        name,
        clock: new MachineClock(clock),
        generation: 0,
        incarnation: undefined,
        stdout: undefined,
        initialization: undefined,
      };
      this.#members.set(name, member);
      this.#open(member);
    }
    const members = [...this.#members.values()];
    for (const member of members) this.#spawn(member);
    const ready = Promise.all(members.map((member) => this.#initialize(member, ids)));
    await Promise.race([ready, this.#errors.first]);
  }

  /**
   * Ends everything.
   *
   * @throws {Error} with `strictMaelstrom`, if a process had ended by itself, as under Maelstrom.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const { network } = this.#options.world;
    const names = [...this.#members.keys()];
    await Promise.all(names.map((name) => this.crash(name)));
    await this.#onStopped();
    for (const name of names) network.close(name);
    this.#services?.close();
    const crash = this.#errors.crash;
    if (crash !== undefined) throw new Error(crash);
  }

  /**
   * Kills a node. What is sent to it waits, but is lost when it starts again.
   *
   * @param loss what becomes of what its disk, if it has a simulated one, has not synced
   * @returns a promise that resolves when its process is gone.
   * @throws {RangeError} if there is no such node.
   */
  async crash(name: string, loss: Loss = "kill"): Promise<void> {
    const member = this.#member(name);
    const { incarnation } = member;
    if (incarnation === undefined) return;
    this.#options.world.network.hold(name);
    this.#detach(member);
    const killed = incarnation.kill();
    if (!this.#stopped) this.#options.disks?.of(name).crash(loss);
    await killed;
  }

  /**
   * Starts a node that is down, with an empty memory and an empty queue, and sends it `init`.
   *
   * @returns a promise that resolves when it has answered, or was killed again before.
   * @throws {RangeError} if there is no such node.
   * @throws {Error} if it cannot be started, or does not answer within 10 s.
   */
  async restart(name: string): Promise<void> {
    const member = this.#member(name);
    if (member.incarnation !== undefined || this.#ids === undefined || this.#stopped) return;
    this.#options.world.network.close(name, "restart");
    this.#open(member);
    this.#spawn(member);
    await this.#initialize(member, this.#ids);
  }

  /**
   * Pauses a node; its timers and messages wait. Has no effect on one that is down.
   *
   * @throws {RangeError} if there is no such node.
   */
  pause(name: string): void {
    this.#member(name).incarnation?.pause();
  }

  /**
   * Lets a paused node continue.
   *
   * @throws {RangeError} if there is no such node.
   */
  resume(name: string): void {
    this.#member(name).incarnation?.resume();
  }

  /** The process of each node that is up and has one of its own. */
  get processIds(): ReadonlyMap<string, number> {
    const ids = new Map<string, number>();
    for (const { name, incarnation } of this.#members.values()) {
      if (incarnation?.pid !== undefined) ids.set(name, incarnation.pid);
    }
    return ids;
  }

  /** The nodes' disks, if they have simulated ones. */
  get disks(): Disks | undefined {
    return this.#options.disks;
  }

  /**
   * The clock of a node's machine.
   *
   * @throws {RangeError} if there is no such node, or its clock cannot be changed.
   */
  clockOf(name: string): MachineClock {
    if (this.#options.realClocks) {
      throw new RangeError("Cannot inject clock: the nodes of this run have the machine's clock");
    }
    return this.#member(name).clock;
  }

  /** Whether a node's process is running. */
  isUp(name: string): boolean {
    return this.#members.get(name)?.incarnation !== undefined;
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new RangeError(`Cannot touch node ${name}: there is none`);
    return member;
  }

  #open(member: Member): void {
    const { network } = this.#options.world;
    network.open(member.name, (packet) => member.incarnation?.deliver(packet));
  }

  #spawn(member: Member): void {
    const { world, disks, strictMaelstrom = false } = this.#options;
    const { onLog = () => {}, onObservation = () => {} } = this.#options;
    const { name: node } = member;
    const generation = ++member.generation;
    const stdout = new Stdout({
      node,
      network: world.network,
      strictMaelstrom,
      onError: (error) => this.#errors.add(error),
      onLateReply: (name, client) => this.#errors.addLateReply(name, client),
      onForeignSource: (name, src) => this.#errors.addForeignSource(name, src),
    });
    member.stdout = stdout;
    member.incarnation = this.#launch({
      node,
      generation,
      world,
      clock: member.clock,
      stdout,
      disk: disks?.of(node),
      log: (text) => {
        const observation = parseObservation(text);
        if (observation === undefined) onLog(node, text);
        else onObservation(node, observation);
      },
      observe: (observation) => onObservation(node, observation),
      onExit: (status, recentLog) => {
        if (member.generation !== generation || member.incarnation === undefined) return;
        world.network.hold(node);
        this.#detach(member);
        const disk = disks?.of(node);
        const failed = disk?.failed;
        disk?.crash("disk-lose");
        if (failed === undefined) this.#errors.addExit({ node, stdout, status, recentLog });
        else failed.onStop();
      },
    });
  }

  /** Detaches a process: nothing that it still does has any effect. */
  #detach(member: Member): void {
    member.stdout?.mute();
    member.incarnation = undefined;
    member.initialization?.abandon();
  }

  async #initialize(member: Member, ids: ClientIds): Promise<void> {
    const { world, holdUntilInit = false } = this.#options;
    const unread = () => member.incarnation?.unread?.() ?? "";
    const initialization = initialize(member.name, this.nodeIds, ids, world, unread);
    member.initialization = initialization;
    const peers = new Set(this.nodeIds.filter((name) => name !== member.name));
    const release = holdUntilInit
      ? world.network.addRule({ fault: "init", holds: new Map([[member.name, peers]]) })
      : () => {};
    await initialization.done.finally(release);
    if (member.initialization === initialization) member.initialization = undefined;
  }
}

/** An `init` under way. */
interface Initialization {
  /** Resolves when the node has answered, or the wait was abandoned. */
  readonly done: Promise<void>;
  /** Waits no longer. */
  abandon(): void;
}

/**
 * Sends `init` to a node from a fresh client, and waits for its answer.
 *
 * `done` rejects with an error like Maelstrom's if the node answers anything but `init_ok`, or
 * nothing for 10 s; then with what it has written instead.
 */
function initialize(
  node: string,
  nodeIds: readonly string[],
  ids: ClientIds,
  { network, clock }: World,
  unread: () => string,
): Initialization {
  const client = new Client({ network, clock, ids });
  let abandoned = false;
  const ask = async () => {
    try {
      const request = { type: "init", node_id: node, node_ids: [...nodeIds] };
      const reply = await client.send(node, request, INIT_TIMEOUT_MS);
      if (reply.type !== "init_ok") {
        throw new Error(`${expected(node)} answered ${JSON.stringify(reply)} before init_ok`);
      }
    } catch (error) {
      if (abandoned) return;
      if (error instanceof ReplyTimeout) {
        const message = [`${expected(node)} did not respond. ${error.message}`, unread()]
          .filter((text) => text !== "").join(". ");
        throw new Error(message, { cause: error });
      }
      throw error;
    } finally {
      client.close();
    }
  };
  const abandon = () => {
    abandoned = true;
    client.close();
  };
  return { done: ask(), abandon };
}

function expected(node: string): string {
  return `Expected node ${node} to respond to an init message, but node`;
}
