/// <reference lib="dom" />
/**
 * The page of a run: shows the data that it was written with.
 *
 * @module
 */

import { unpackReport } from "../report_data.ts";
import { readPart } from "./dom.ts";
import { showReport } from "./show_report.ts";

const root = document.getElementById("page");
if (root !== null) showReport(root, unpackReport(await readPart("data")));
