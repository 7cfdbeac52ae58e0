/**
 * Runs the run of a page again, in the page: as it was, with another seed, or with its faults changed.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { verdict } from "../../explain.ts";
import type { PlanFault } from "../../nemesis.ts";
import type { Plan } from "../../plan.ts";
import { historyText, type ReportData, unpackReport } from "../../report_data.ts";
import { element, section } from "../dom.ts";
import { FaultEditor } from "./fault_editor.ts";
import { describeDigest, type Simulation, startSimulation } from "./simulation.ts";
import type { SimulatorRequest } from "./simulator.ts";

/** What the controls work on. */
interface RunAgain {
  /** The run that the page was written for. */
  readonly stored: ReportData;
  /** What it was given. */
  readonly plan: Plan;
  /** The kinds of faults that there are. */
  readonly kinds: readonly PlanFault["kind"][];
  /** Shows a run in place of the one that is shown. */
  readonly show: (data: ReportData) => void;
}

/** The controls that run a page's run again. */
export function showRunAgain(again: RunAgain): HTMLElement {
  return new Controls(again).root;
}

class Controls {
  readonly root: HTMLElement;
  readonly #again: RunAgain;
  readonly #faults: FaultEditor;
  readonly #status = element("p", { role: "status", id: "again-status" });
  readonly #seed: HTMLInputElement;
  readonly #kinds: readonly HTMLInputElement[];
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #stop = button("Stop", () => this.#current?.stop());
  /** What the run that is shown was given. */
  #plan: Plan;
  #current: Simulation | undefined;

  constructor(again: RunAgain) {
    const { plan, kinds } = again;
    this.#again = again;
    this.#plan = plan;
    this.#faults = new FaultEditor(plan);
    this.#seed = element("input", {
      type: "number",
      min: 0,
      // The largest that a command line takes.
      max: 999_999_999_999_999,
      step: 1,
      required: true,
      value: plan.options.seed,
    });
    this.#kinds = kinds.map((name) => {
      return element("input", {
        type: "checkbox",
        name,
        checked: plan.options.nemesis.includes(name),
      });
    });
    this.#buttons = [
      button("Run the plan", () => this.#runPlan()),
      button("Run this seed", () => this.#draw(0)),
      button("Next seed", () => this.#draw(1)),
      button("Show the stored run", () => this.#showStored()),
    ];
    this.#stop.disabled = true;
    const [runPlan, draw, next, stored] = this.#buttons;
    const [command = "eddy"] = again.stored.command?.split(" test ") ?? [];
    this.root = section(
      "again",
      "Run it again here",
      element(
        "p",
        { class: "hint" },
        "The simulator and what the run was given are in this page; nothing leaves it.",
      ),
      element(
        "fieldset",
        {},
        element("legend", {}, "The plan: the same operations, and these faults"),
        this.#faults.root,
        runPlan,
      ),
      element(
        "fieldset",
        {},
        element("legend", {}, "Another run, drawn from a seed"),
        element("label", {}, "Seed ", this.#seed),
        this.#kinds.map((box) => element("label", {}, box, box.name)),
        draw,
        next,
      ),
      this.#status,
      element(
        "p",
        {},
        this.#stop,
        stored,
        button("Save the plan", () => this.#savePlan()),
      ),
      element(
        "p",
        { class: "hint" },
        `In a terminal: ${command} test --plan plan.json runs what was saved.`,
      ),
    );
  }

  #runPlan(): void {
    const { options } = this.#plan;
    const { faults } = this.#faults;
    const kinds = new Set([...options.nemesis, ...faults.map(({ kind }) => kind)]);
    const plan = { ...this.#plan, faults, options: { ...options, nemesis: [...kinds] } };
    this.#run({ run: { plan } });
  }

  #draw(further: number): void {
    if (!this.#seed.reportValidity()) return;
    this.#seed.valueAsNumber = (this.#seed.valueAsNumber || 0) + further;
    const { args, options, program } = this.#plan;
    const seed = this.#seed.valueAsNumber;
    const nemesis = this.#again.kinds.filter((_, i) => this.#kinds[i]?.checked);
    this.#run({ run: { settings: { ...options, seed, nemesis, args, bin: program?.bin } } });
  }

  #showStored(): void {
    const { plan, stored } = this.#again;
    this.#take(plan);
    this.#status.textContent = "This is the stored run";
    this.#showInPlace(stored);
  }

  /**
   * Shows a run above, and keeps these controls where they are on the screen: also while plots
   * are added above, until something else is scrolled to or pressed.
   */
  #showInPlace(data: ReportData): void {
    const { top } = this.root.getBoundingClientRect();
    const stay = () => scrollBy(0, this.root.getBoundingClientRect().top - top);
    const sizes = new ResizeObserver(stay);
    this.#again.show(data);
    stay();
    sizes.observe(document.body);
    const end = new AbortController();
    end.signal.addEventListener("abort", () => sizes.disconnect());
    for (const type of ["wheel", "pointerdown", "keydown", "touchstart"]) {
      addEventListener(type, () => end.abort(), { signal: end.signal, passive: true });
    }
  }

  /** Hands out what the run that is shown was given, as a file. */
  #savePlan(): void {
    const text = JSON.stringify({ ...this.#plan, faults: this.#faults.faults }, null, 1);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    element("a", { href: address, download: "plan.json" }).click();
    URL.revokeObjectURL(address);
  }

  async #run(request: SimulatorRequest): Promise<void> {
    if (this.#current !== undefined) return;
    const pressed = document.activeElement;
    this.#setRunning(true);
    delete this.root.dataset.history;
    try {
      this.#current = startSimulation("simulator", request, ({ elapsedMs, counts }) => {
        this.#status.textContent = `Running: ${(elapsedMs / 1000).toFixed(0)} s of virtual time, ` +
          `${counts.invocations} operations`;
      });
      const { report, sha256, plan } = await this.#current.result;
      const data = unpackReport(report);
      this.#take(plan);
      this.#showInPlace(data);
      const { stored } = this.#again;
      const isSame = stored.isWhole && historyText(data.history) === historyText(stored.history);
      this.root.dataset.history = sha256 ?? "";
      const isChanged = "plan" in request.run && !isSame;
      this.#status.textContent = `Seed ${plan.options.seed}${isChanged ? ", plan changed" : ""}: ` +
        `${verdict(data.report.valid)}. ` +
        (isSame ? "The history is that of the stored run, byte for byte. " : "") +
        describeDigest(sha256);
    } catch (error) {
      this.#status.textContent = errorText(error);
    } finally {
      this.#current = undefined;
      this.#setRunning(false);
      // A button that cannot be pressed loses the focus.
      const hasFocus = document.activeElement !== document.body;
      if (!hasFocus && pressed instanceof HTMLElement) pressed.focus({ preventScroll: true });
    }
  }

  #take(plan: Plan): void {
    this.#plan = plan;
    this.#seed.valueAsNumber = plan.options.seed;
    this.#faults.show(plan);
  }

  #setRunning(isRunning: boolean): void {
    for (const each of this.#buttons) each.disabled = isRunning;
    this.#stop.disabled = !isRunning;
  }
}

function button(text: string, click: () => void): HTMLButtonElement {
  return element("button", { type: "button", click }, text);
}
