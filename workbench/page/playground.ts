/**
 * The playground: a page in which one chooses a workload, a node and faults, and runs them.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { unpackReport } from "../report_data.ts";
import type { RunProgress } from "../runner.ts";
import { type Child, element } from "./dom.ts";
import { readPart } from "./dom.ts";
import { showReport } from "./show_report.ts";
import { describeDigest, type Simulation, startSimulation } from "./simulator/simulation.ts";
import type { MutantChoice, PlaygroundChoices, SimulatorSettings } from "./simulator/simulator.ts";

/** The form, and what it stands for. */
class SettingsForm {
  readonly form: HTMLFormElement;
  readonly #choices: PlaygroundChoices;
  readonly #workload: HTMLSelectElement;
  readonly #bin: HTMLSelectElement;
  readonly #about = element("p", { class: "about" });
  readonly #nodeCount = numberField(1, 50, "1");
  readonly #concurrency = element("input", { pattern: "[1-9][0-9]{0,3}n?", required: true });
  readonly #rate = numberField(0, 10_000);
  readonly #time = numberField(0.001, 3600);
  readonly #latency = numberField(0, 100_000);
  readonly #distribution: HTMLSelectElement;
  readonly #interval = numberField(0.001, 3600);
  readonly #seed = numberField(0, 999_999_999_999_999, "1");
  readonly #faults: ReadonlyMap<string, HTMLInputElement>;
  /** Of the mutant that was chosen, what has no field. */
  #further: Partial<SimulatorSettings> = {};

  constructor(choices: PlaygroundChoices, buttons: readonly Child[]) {
    this.#choices = choices;
    this.#workload = choice(choices.workloads, () => this.#offer(choices.first));
    this.#bin = choice([], () => this.#offerNode());
    this.#distribution = choice(choices.distributions);
    this.#faults = new Map(
      choices.faults.map((name) => [name, element("input", { type: "checkbox", name })]),
    );
    this.form = element(
      "form",
      { class: "settings" },
      labelled("Workload", this.#workload),
      labelled("Node", this.#bin),
      this.#about,
      labelled("Nodes", this.#nodeCount),
      labelled("Clients (3n: three a node)", this.#concurrency),
      labelled("Operations a second", this.#rate),
      labelled("Seconds", this.#time),
      labelled("Latency in ms, mean", this.#latency),
      labelled("Latency is", this.#distribution),
      element(
        "fieldset",
        {},
        element("legend", {}, "Faults"),
        [...this.#faults].map(([name, box]) => element("label", {}, box, name)),
      ),
      labelled("Seconds from a fault to its end, mean", this.#interval),
      labelled("Seed", this.#seed),
      element("div", { class: "buttons" }, buttons),
    );
    this.#workload.value = choices.first.workload;
    this.#offer(choices.first);
  }

  /** What is to be run. */
  get chosen(): SimulatorSettings {
    const nemesis = this.#choices.faults.filter((name) => this.#faults.get(name)?.checked);
    return {
      ...this.#further,
      workload: this.#workload.value as SimulatorSettings["workload"],
      bin: this.#bin.value === "" ? undefined : this.#bin.value,
      nodeCount: this.#nodeCount.valueAsNumber,
      concurrency: this.#concurrency.value as `${number}n`,
      rate: this.#rate.valueAsNumber,
      timeLimitSeconds: this.#time.valueAsNumber,
      latency: {
        meanMs: this.#latency.valueAsNumber,
        distribution: this.#distribution.value as "constant",
      },
      nemesis,
      nemesisIntervalSeconds: this.#interval.valueAsNumber,
      seed: this.#seed.valueAsNumber,
    };
  }

  /** Another seed. */
  nextSeed(): void {
    this.#seed.valueAsNumber++;
  }

  /** Offers the nodes of the workload, and settings for it. */
  #offer(settings: SimulatorSettings): void {
    const mutants = this.#choices.mutants.filter((each) => this.#isOfWorkload(each));
    this.#bin.replaceChildren(
      element("option", { value: "" }, "Eddy's own, which is right"),
      element(
        "optgroup",
        { label: "Mutants, with one fault each" },
        mutants.map(({ settings: { bin } }) => element("option", { value: bin }, bin)),
      ),
    );
    this.#fill(settings);
    this.#about.textContent = "";
  }

  #isOfWorkload({ settings: { workload } }: MutantChoice): boolean {
    return workload === this.#workload.value;
  }

  /** Offers the settings with which the fault of a mutant shows. */
  #offerNode(): void {
    const mutant = this.#choices.mutants.find((each) =>
      each.settings.bin === this.#bin.value && this.#isOfWorkload(each)
    );
    this.#fill(mutant?.settings ?? this.#choices.first);
    this.#about.textContent = mutant?.about ?? "";
  }

  #fill(settings: SimulatorSettings): void {
    const {
      workload: _,
      bin: __,
      nodeCount = 3,
      concurrency = this.#workload.value === "lin-kv" ? "2n" : "1n",
      rate = 5,
      timeLimitSeconds = 60,
      latency: { meanMs = 0, distribution = "constant" } = {},
      nemesis = [],
      nemesisIntervalSeconds = 10,
      seed = this.#seed.valueAsNumber || 1,
      ...further
    } = settings;
    this.#nodeCount.valueAsNumber = nodeCount;
    this.#concurrency.value = String(concurrency);
    this.#rate.valueAsNumber = rate;
    this.#time.valueAsNumber = timeLimitSeconds;
    this.#latency.valueAsNumber = meanMs;
    this.#distribution.value = distribution;
    for (const [name, box] of this.#faults) box.checked = nemesis.some((each) => each === name);
    this.#interval.valueAsNumber = nemesisIntervalSeconds;
    this.#seed.valueAsNumber = seed;
    this.#further = further;
  }
}

function numberField(min: number, max: number, step = "any"): HTMLInputElement {
  return element("input", { type: "number", min, max, step, required: true });
}

function choice(values: readonly string[], onChange: () => void = () => {}): HTMLSelectElement {
  const options = values.map((value) => element("option", { value }, value));
  return element("select", { change: onChange }, options);
}

/** A field under its name, which is not around it: a list's own texts would be part of it. */
function labelled(text: string, field: HTMLElement): HTMLElement {
  field.id = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return element("div", { class: "field" }, element("label", { for: field.id }, text), field);
}

/** Shows the playground in an element. */
function showPlayground(root: HTMLElement, choices: PlaygroundChoices): void {
  const run = element("button", { type: "submit" }, "Run");
  const next = element("button", { type: "button", click: () => start(true) }, "Run another seed");
  const stop = element("button", { type: "button", disabled: true }, "Stop");
  const status = element("p", { id: "status", role: "status" });
  const report = element("div", { id: "result" });
  const settings = new SettingsForm(choices, [run, next, stop]);
  let current: Simulation | undefined;
  const setRunning = (isRunning: boolean) => {
    run.disabled = next.disabled = isRunning;
    stop.disabled = !isRunning;
  };
  const start = async (withNextSeed: boolean) => {
    if (current !== undefined || !settings.form.reportValidity()) return;
    if (withNextSeed) settings.nextSeed();
    setRunning(true);
    delete report.dataset.ready;
    status.textContent = "Running";
    try {
      const asked = { run: { settings: settings.chosen } };
      current = startSimulation("simulator", asked, (progress) => {
        status.textContent = describeProgress(progress);
      });
      const { report: text, sha256 } = await current.result;
      showReport(report, unpackReport(text));
      status.textContent = describeDigest(sha256);
    } catch (error) {
      report.replaceChildren();
      status.textContent = errorText(error);
    } finally {
      current = undefined;
      setRunning(false);
    }
  };
  stop.addEventListener("click", () => current?.stop());
  settings.form.addEventListener("submit", (event) => {
    event.preventDefault();
    start(false);
  });
  root.replaceChildren(settings.form, status, report);
  root.dataset.ready = "true";
}

function describeProgress({ stage, elapsedMs, counts: { invocations } }: RunProgress): string {
  return stage === "done"
    ? `Checking ${invocations} operations`
    : `Running: ${(elapsedMs / 1000).toFixed(0)} s of virtual time, ${invocations} operations`;
}

const root = document.getElementById("playground");
if (root !== null) showPlayground(root, JSON.parse(await readPart("choices")));
