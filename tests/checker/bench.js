// In the page: how long the checker takes.

import { Checker } from "./checker.js";

/// How often what a key press does is measured, and how often before it counts.
const PRESSES = 200;
const WARM = 50;

/// Milliseconds until the checker is there, and then until the last flow has been checked once.
export async function visit({ catalog, flows }) {
  const start = performance.now();
  const checker = await Checker.load();
  const loaded = performance.now();
  checker.open(catalog).check("first.flow.yaml", flows.at(-1).text);
  return { load: loaded - start, first: performance.now() - loaded };
}

/// Milliseconds by what was measured, once the browser has compiled all with care.
export async function measure({ catalog, flows }) {
  const measured = [];
  const checker = await Checker.load();
  measured.push({ what: "open a project", times: presses(() => checker.open(catalog).close()) });
  const project = checker.open(catalog);
  for (const { steps, text } of flows) {
    // One more letter each time, in a prompt in the middle.
    const at = text.indexOf("question", text.length / 4);
    const typed = (n) => `${text.slice(0, at)}${"x".repeat(n % 20)}${text.slice(at)}`;
    const file = `${steps}.flow.yaml`;
    const add = (what, press) => measured.push({ what: `${steps} steps, ${what}`, times: presses(press) });
    add("check", (n) => {
      const { findings } = project.check(file, typed(n));
      if (findings.length > 0) throw new Error(findings[0].message);
    });
    const target = text.lastIndexOf("then: { done: ") + "then: { done: ".length;
    add("completion", () => project.complete(file, target));
    // The name of the last target is begun anew: the text is checked, and what could stand there is asked.
    const begun = `${text.slice(0, target)}p${text.slice(text.indexOf(",", target))}`;
    add("check and completion at a key press", (n) => {
      project.check(file, n % 2 === 0 ? begun : text, { edited: target });
      const { offers } = project.complete(file, target);
      if (offers.length === 0) throw new Error("nothing is offered");
    });
    // The same text in a request that nobody knows: what crossing over costs.
    add("the boundary alone", (n) => checker.askText(JSON.stringify({ text: typed(n), ask: "nothing" })));
  }
  return measured;
}

function presses(press) {
  const times = [];
  for (let n = 0; n < WARM + PRESSES; n += 1) {
    const start = performance.now();
    press(n);
    if (n >= WARM) times.push(performance.now() - start);
  }
  return times;
}
