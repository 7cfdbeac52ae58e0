/**
 * The page of a run: shows the data that it was written with.
 *
 * @module
 */

import { NEMESES } from "../nemesis.ts";
import type { Plan } from "../plan.ts";
import { type ReportData, unpackReport } from "../report_data.ts";
import { element, hasPart, readPart, section } from "./dom.ts";
import { showRunAgain } from "./simulator/run_again.ts";
import { showReport } from "./show_report.ts";

const root = document.getElementById("page");
if (root !== null) await showPage(root);

async function showPage(page: HTMLElement): Promise<void> {
  const stored = unpackReport(await readPart("data"));
  const report = element("div", { id: "report" });
  const show = (data: ReportData) => showReport(report, data);
  page.replaceChildren(report);
  show(stored);
  if (hasPart("reason")) {
    page.append(section("again", "Run it again", element("p", {}, await readPart("reason"))));
  }
  if (!hasPart("simulator")) return;
  // The simulator checks it, as it checks one that was changed.
  const plan: Plan = JSON.parse(await readPart("plan"));
  page.append(showRunAgain({ stored, plan, kinds: NEMESES, show }));
}
