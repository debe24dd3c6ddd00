// The loader's own promises: `node loader.mjs MODULE`, the folder of module and loader.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

const [, , folder] = process.argv;
const { Checker, CheckerError, CheckerFault, Places } = await import(pathToFileURL(join(folder, "checker.js")));
const bytes = readFileSync(join(folder, "strowger-checker.wasm"));

const standard = JSON.parse(readFileSync(new URL("../../engine/flow/tests/catalog/std.json", import.meta.url), "utf8"));
const named = (key) => Object.entries(standard.steps).map(([name, step]) => key(name, `std/${name}@1`, step));
const catalog = {
  steps: Object.fromEntries(named((_, key, step) => [key, step])),
  verbs: Object.fromEntries(named((name, key) => [name, key])),
  flows: {},
  queues: ["general"],
};

const CALLER = `flow: caller
format: 1
steps:
  start:
    call: helper
    with: { order_no: "1" }
    then: { done: bye, else: bye }
  bye: { hangup: done }
`;
const HELPER = `flow: helper
format: 1
inputs: { order_no: text }
outcomes: [done]
steps:
  start: { say: "Order \${order_no}", then: back }
  back: { return: done }
`;
const rules = ({ findings }) => findings.map((finding) => finding.rule);
const code = (code) => (error) => error instanceof CheckerError && error.code === code && error.message.length > 0;

test("it is loaded from bytes, a module, and a response under any type", async () => {
  const module = await WebAssembly.compile(bytes);
  const response = (type) => new Response(bytes, { headers: { "content-type": type } });
  const sources = [bytes, module, response("application/wasm"), response("text/plain"), Promise.resolve(response(""))];
  for (const source of sources) assert.match((await Checker.load(source)).about().version, /^\d+\.\d+\.\d+$/);
});

test("it lies beside the loader, in Node too", async () => {
  const address = pathToFileURL(join(folder, "strowger-checker.wasm"));
  for (const checker of [Checker.load(), Checker.load(address), Checker.load(address.href)]) {
    assert.match((await checker).about().version, /^\d+\.\d+\.\d+$/);
  }
  await assert.rejects(Checker.load(pathToFileURL(join(folder, "none.wasm"))), { code: "ENOENT" });
});

test("what cannot be fetched is told", async () => {
  const missing = new Response("", { status: 404, statusText: "Not Found" });
  await assert.rejects(Checker.load(missing), /404 Not Found/);
  await assert.rejects(Checker.load(bytes.subarray(0, 100)), WebAssembly.CompileError);
});

test("errors are thrown, and the checker goes on", async () => {
  const checker = await Checker.load(bytes);
  const project = checker.open(catalog);
  assert.throws(() => checker.ask({ ask: "nothing" }), code("unreadable"));
  assert.throws(() => checker.explain("missing-outcom"), /did you mean "missing-outcome"/);
  assert.throws(() => project.hover("a", 0), code("no-such-file"));
  const { requestBytes } = checker.about().limits;
  assert.throws(() => project.check("a", "x".repeat(requestBytes)), code("too-long"));
  assert.deepEqual(rules(project.check("a", "a: [")), ["yaml-syntax"]);
  assert.throws(() => project.format("a"), code("not-laid-out"));
  assert.throws(() => project.graph("a"), code("has-errors"));
  project.close();
  project.close();
  assert.throws(() => project.check("a", ""), code("no-such-project"));
  for (let n = 0; n < checker.about().limits.projects; n += 1) checker.open();
  assert.throws(() => checker.open(), code("too-many-projects"));
});

test("flows know each other as they are while somebody types", async () => {
  const project = (await Checker.load(bytes)).open(catalog);
  const first = project.check("caller", CALLER);
  assert.deepEqual([rules(first), first.flow, first.worst], [["unknown-flow"], "caller", null]);
  assert.deepEqual(project.check("helper", HELPER).affected, ["caller"]);
  const good = project.check("caller", CALLER);
  assert.deepEqual([rules(good), good.affected, good.worst.flow], [[], [], "caller"]);
  // The same text again, or one that is broken meanwhile, is felt by nobody.
  assert.deepEqual(project.check("helper", `${HELPER}\n`).affected, []);
  assert.deepEqual(project.check("helper", `${HELPER}  x: [`).affected, []);
  assert.match(project.report("caller").worst, /^worst case of `caller`/);
  // An input more, and another name.
  const more = HELPER.replace("order_no: text", "order_no: text, extra: text");
  assert.deepEqual(project.check("helper", more).affected, ["caller"]);
  assert.match(project.report("caller", { form: "json" }).findings, /"rule":"missing-input"/);
  project.check("helper", HELPER.replace("flow: helper", "flow: other"));
  assert.match(project.report("caller", { form: "json" }).findings, /"rule":"unknown-flow"/);
  assert.deepEqual(project.forget("helper"), ["caller"]);
});

test("a file that is let go of is what the catalogue says", async () => {
  const helper = { inputs: { order_no: { type: "text", required: true } }, outcomes: ["done"] };
  const project = (await Checker.load(bytes)).open({ ...catalog, flows: { helper } });
  assert.deepEqual(rules(project.check("caller", CALLER)), []);
  project.check("helper", HELPER);
  project.check("helper", HELPER.replace("flow: helper", "flow: other"));
  assert.deepEqual(rules(project.check("caller", CALLER)), ["unknown-flow"]);
  assert.deepEqual(project.forget("helper"), ["caller"]);
  assert.deepEqual(rules(project.check("caller", CALLER)), []);
});

test("completion, hover and outline count in UTF-16, in texts that are broken too", async () => {
  const project = (await Checker.load(bytes)).open(catalog);
  const text = HELPER.replace("Order", "😀 Order");
  project.check("helper", text);
  const hover = project.hover("helper", text.indexOf("order_no}") + 3);
  assert.equal(text.slice(hover.from, hover.to), "order_no");
  assert.match(hover.page, /order_no/);
  const steps = project.outline("helper").find((entry) => entry.name === "steps");
  assert.deepEqual(steps.children.map((step) => text.slice(step.nameFrom, step.nameTo)), ["start", "back"]);
  // Nobody has asked before the text broke; its names are known all the same.
  project.check("other", text);
  const at = text.indexOf("then: ") + 6;
  const broken = `${text.slice(0, at)}b`;
  const checked = project.check("other", broken, { edited: at + 1 });
  assert(checked.findings.length > 0);
  const { offers, all } = project.complete("other", at + 1);
  const back = offers.find((offer) => offer.label === "back");
  assert.deepEqual([all, back?.kind, broken.slice(back?.from, back?.to)], [true, "target", "b"]);
});

test("layout, pictures and pages are those of the program", async () => {
  const checker = await Checker.load(bytes);
  const project = checker.open(catalog);
  project.check("helper", HELPER.replace("format: 1", "format:   1"));
  assert.equal(project.format("helper"), HELPER);
  assert.match(project.graph("helper"), /flowchart TD/);
  assert.match(project.graph("helper", "svg"), /^<svg /);
  assert.match(checker.explain("missing-outcome", "zh"), /^# missing-outcome \(错误\)/);
  assert(checker.rules().some(({ rule, level }) => rule === "dead-air" && level === "warning"));
});

test("lines and columns are found in a text", () => {
  const text = "a: 您好\n😀b: x\r\n";
  const places = new Places(text);
  const at = (line, column, endLine, endColumn) => places.range({ line, column, endLine, endColumn });
  assert.deepEqual(at(1, 4, 1, 6), { from: 3, to: 5 });
  assert.deepEqual(at(2, 2, 2, 3), { from: text.indexOf("b"), to: text.indexOf("b") + 1 });
  assert.deepEqual(at(3, 1, 9, 9), { from: text.length, to: text.length });
});

test("a trap is told, and the checker answers nothing any more", async () => {
  const checker = await Checker.load(trapping("it broke"));
  assert.throws(
    () => checker.about(),
    (error) => error instanceof CheckerFault && /it broke/.test(error.message) && error.cause instanceof WebAssembly.RuntimeError,
  );
  assert.throws(() => checker.about(), CheckerFault);
  await assert.doesNotReject(Checker.load(bytes));
});

/// A module with the functions of ours that traps when it is asked, and says why.
function trapping(said) {
  const text = (text) => [text.length, ...Buffer.from(text)];
  const section = (id, ...content) => [id, content.flat(Infinity).length, ...content.flat(Infinity)];
  const constant = (number) => [4, 0, 0x41, number, 0x0b];
  const names = ["strowger_request", "strowger_ask", "strowger_answer", "strowger_fault", "strowger_fault_length"];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 2, [0x60, 1, 0x7f, 1, 0x7f], [0x60, 0, 1, 0x7f]),
    ...section(3, 5, [0, 1, 1, 1, 1]),
    ...section(5, 1, 0, 1),
    ...section(7, 6, text("memory"), 2, 0, names.map((name, index) => [text(name), 0, index])),
    ...section(10, 5, constant(32), [3, 0, 0x00, 0x0b], constant(0), constant(16), constant(said.length)),
    ...section(11, 1, 0, [0x41, 16, 0x0b], text(said)),
  ]);
}
