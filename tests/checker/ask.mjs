// Asks the checker a script of requests, in a page, in a Web Worker and in Node.js: `node ask.mjs MODULE REQUESTS ANSWERS`.
// MODULE is the folder of module and loader, REQUESTS a file with a list of texts in JSON; ANSWERS becomes one with a list
// for each of the three places.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { withPage } from "./browser.mjs";

const [, , module, from, to] = process.argv;
const requests = JSON.parse(readFileSync(from, "utf8"));

const answers = await withPage(module, ["asking.js", "worker.js"], async (page) => ({
  page: await page.evaluate(async (requests) => (await import("/asking.js")).answers(requests), requests),
  worker: await page.evaluate(
    (requests) =>
      new Promise((done, failed) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => (data.error ? failed(new Error(data.error)) : done(data.answers));
        worker.onerror = (event) => failed(new Error(event.message));
        worker.postMessage(requests);
      }),
    requests,
  ),
}));

const { Checker } = await import(pathToFileURL(join(module, "checker.js")));
const checker = await Checker.load();
answers.node = requests.map((request) => checker.askText(request));

writeFileSync(to, JSON.stringify(answers));
