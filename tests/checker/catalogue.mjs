// What a page finds that opens the catalogue of `strowger schema --catalogue`: `node catalogue.mjs MODULE CATALOGUE FILES`.
// MODULE is the folder of module and loader, FILES a list of names and texts in JSON. Prints what `strowger check --format json`
// does: the findings of all, then the worst cases.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , module, catalogue, files] = process.argv;
const { Checker } = await import(pathToFileURL(join(module, "checker.js")));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

const checker = await Checker.load();
const project = checker.open(read(catalogue));
const reports = read(files).map(([name, text]) => {
  project.check(name, text);
  return project.report(name, { form: "json" });
});
for (const { findings } of reports) process.stdout.write(findings);
for (const { worst } of reports) process.stdout.write(worst);
