/** Every chapter of the tutorial: its nodes do what the chapter shows. */

import { allPages, isTutorial, testPage } from "./follow.ts";

for (const page of (await allPages()).filter(isTutorial)) testPage(page);
