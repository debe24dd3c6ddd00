// What a designer sees in an editor, one case each: `node cases.mjs CASE STROWGER PROJECT`.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as lsp from "vscode-languageserver-protocol/node";
import { Editor } from "./editor.mjs";

const [, , name, program, project] = process.argv;
const MENU = "main-menu.flow.yaml";
const ORDER = "order-status.flow.yaml";
const VIP = "vip-routing.flow.yaml";
const labels = (items) => items.map((item) => item.label);
const includes = (items, ...wanted) => {
  for (const label of wanted) assert(labels(items).includes(label), `${label} is not in ${labels(items)}`);
};
const excludes = (items, ...others) => {
  for (const label of others) assert(!labels(items).includes(label), `${label} is in ${labels(items)}`);
};

const cases = {
  /// The editor and `strowger check` say the same of the same text.
  async findings_are_those_of_check() {
    const editor = await Editor.start(program, project);
    const before = await editor.open(ORDER);
    assert.deepEqual(before.filter((found) => found.severity === lsp.DiagnosticSeverity.Error), []);
    await editor.replace(ORDER, "not_found: not_found", "not_fuond: not_found");
    await editor.replace(ORDER, "timeout: 8s ", "timeout: 8 ");
    const found = await editor.replace(ORDER, "您的订单还未付款，应付 ${order.total | money}", "😀您的订单 ${order.totall | money}");
    writeFileSync(join(project, ORDER), editor.text(ORDER));
    const check = spawnSync(program, ["check", "--format", "json", project], { encoding: "utf8" });
    const lines = check.stdout.trim().split("\n").map((line) => JSON.parse(line));
    const ours = lines.filter((line) => line.file?.endsWith(ORDER));
    // `check` counts characters from 1, the protocol UTF-16 units from 0.
    const character = (line, column) => {
      const text = editor.text(ORDER).split("\n")[line - 1];
      return [...text].slice(0, column - 1).join("").length;
    };
    const place = (line) => ({
      start: { line: line.line - 1, character: character(line.line, line.column) },
      end: { line: line.endLine - 1, character: character(line.endLine, line.endColumn) },
    });
    assert.deepEqual(
      found.map(({ code, range, severity }) => ({ code, range, severity })),
      ours.map((line) => ({ code: line.rule, range: place(line), severity: line.level === "error" ? 1 : 2 })),
    );
    const rules = found.map((finding) => finding.code);
    for (const rule of ["unknown-outcome", "missing-unit", "unknown-field"]) assert(rules.includes(rule), `${rules}`);
    const field = found.find((finding) => finding.code === "unknown-field");
    assert.equal(editor.covered(ORDER, field.range), "totall");
    // Corrected, they are gone.
    await editor.replace(ORDER, "not_fuond", "not_found");
    await editor.replace(ORDER, "timeout: 8 ", "timeout: 8s ");
    assert.deepEqual(await editor.replace(ORDER, "totall", "total"), before);
    await editor.stop();
  },

  /// A flow that calls another is checked again when that one changes.
  async a_change_is_felt_by_other_flows() {
    const editor = await Editor.start(program, project);
    await editor.open(ORDER);
    await editor.replace(ORDER, "outcomes: [done, operator]", "outcomes: [done, operator, callback]");
    const told = await editor.told(MENU, (told) => told.diagnostics.some((found) => found.code === "missing-outcome"));
    assert(told.some((found) => found.message.includes("callback")));
    await editor.replace(ORDER, ", callback]", "]");
    await editor.told(MENU, (told) => !told.diagnostics.some((found) => found.code === "missing-outcome"));
    await editor.stop();
  },

  async findings_in_chinese() {
    const editor = await Editor.start(program, project, "zh-CN");
    const found = await editor.open(ORDER, readFileSync(join(project, ORDER), "utf8").replace("into: order_no", "into: order-no"));
    assert(found.some((finding) => /[\u4e00-\u9fff]/.test(finding.message)), JSON.stringify(found.map((f) => f.message)));
    await editor.stop();
  },

  async completion() {
    const editor = await Editor.start(program, project);
    await editor.open(MENU);
    await editor.open(ORDER);
    await editor.open(VIP);
    // Targets, with what else may stand there.
    const targets = await editor.complete(MENU, "no_match: ¦operator");
    includes(targets, "operator", "main", "bye", "repeat", "flow:vip-routing");
    // Outcomes of a flow, a step and a plugin; those that are there are not offered again.
    await editor.replace(MENU, "      operator: operator\n", "      operator: operator\n      \n");
    const outcomes = await editor.complete(MENU, "      operator: operator\n      ¦\n");
    includes(outcomes, "error", "else");
    excludes(outcomes, "done", "operator");
    await editor.replace(ORDER, "      not_found: not_found\n", "      \n");
    includes(await editor.complete(ORDER, "      found: status\n      ¦\n"), "not_found", "else");
    // Verbs, then the parameters of the verb that is there.
    await editor.replace(MENU, "  bye:\n", "  fresh:\n    \n  bye:\n");
    const verbs = await editor.complete(MENU, "  fresh:\n    ¦\n");
    includes(verbs, "menu", "say", "queue", "use", "call", "if");
    assert.match(verbs.find((item) => item.label === "menu").documentation.value, /attempts/);
    await editor.replace(MENU, "    attempts: 1 ", "    \n    attempts: 1 ");
    // A step that is there would be there twice.
    await editor.replace(MENU, "\nsteps:\n", "\nsteps:\n  \n");
    excludes(await editor.complete(MENU, "\nsteps:\n  ¦\n"), "operator", "bye", "main");
    const options = await editor.complete(MENU, "    menu: choose_language\n    ¦\n");
    includes(options, "reprompt", "short", "barge_in", "gap", "when");
    excludes(options, "attempts", "press", "then", "menu", "prompt");
    // Plugins of the project, and their parameters.
    const plugins = await editor.complete(VIP, "use: ¦crm/caller@2");
    includes(plugins, "crm/caller@2", "vip/decide@1", "callbacks/book@1", "orders/lookup@1");
    await editor.replace(VIP, "      partner: borealis\n", "      \n");
    const inputs = await editor.complete(VIP, "      house: aurora-advisers\n      ¦\n");
    includes(inputs, "partner");
    excludes(inputs, "house", "tier");
    // Prompts, queues, suppliers, opening hours, flows, outcomes of this flow.
    includes(await editor.complete(MENU, "say: ¦goodbye"), "goodbye", "sorry", "main_menu");
    includes(await editor.complete(MENU, "queue: ¦front-desk"), "front-desk", "vip-aurora", "general");
    includes(await editor.complete(MENU, "hours: ¦support"), "support");
    includes(await editor.complete(MENU, "call: ¦order-status"), "order-status", "vip-routing");
    includes(await editor.complete(ORDER, "return: ¦operator"), "done", "operator");
    // Expressions: variables, fields by type, filters.
    const variables = await editor.complete(ORDER, "order_no: ${¦order_no}");
    includes(variables, "order_no", "order", "tries", "call", "now");
    includes(await editor.complete(ORDER, "${order.¦total | money}"), "eta", "status", "total");
    includes(await editor.complete(ORDER, "${order.total | ¦money}"), "date", "money", "digits");
    includes(await editor.complete(ORDER, "switch: order.¦status"), "status");
    includes(await editor.complete(VIP, "\"${call.¦from}\""), "from", "language", "priority");
    // The edit puts in exactly what was meant, after Chinese text too.
    await editor.replace(ORDER, "应付 ${order.total | money}", "😀应付 ${order.e}");
    const [eta] = (await editor.complete(ORDER, "😀应付 ${order.e¦}")).filter((item) => item.label === "eta");
    assert(editor.edited(ORDER, [eta.textEdit]).includes("😀应付 ${order.eta}"));
    await editor.stop();
  },

  /// Most of the time the file is broken.
  async completion_in_broken_yaml() {
    const editor = await Editor.start(program, project);
    await editor.open(ORDER);
    await editor.replace(ORDER, 'set: { tries: "${tries + 1}" }', 'set: { tries: "${tr');
    includes(await editor.complete(ORDER, 'set: { tries: "${tr¦'), "tries");
    // Elsewhere in the broken file as well: names, outline, definitions.
    includes(await editor.complete(ORDER, "goto: ¦hand_over"), "hand_over", "lookup", "not_found");
    const [place] = await editor.definition(ORDER, "goto: hand¦_over");
    assert.equal(editor.covered(ORDER, place.range), "hand_over");
    const symbols = await editor.ask(lsp.DocumentSymbolRequest.type, { textDocument: { uri: editor.uri(ORDER) } });
    assert(symbols.some((symbol) => symbol.name === "steps"));
    await editor.replace(ORDER, 'set: { tries: "${tr', 'set: { tries: "${tries + 1}" }');
    await editor.replace(ORDER, "    then:\n      found: status", "    the\n      found: status");
    includes(await editor.complete(ORDER, "    the¦\n"), "then", "when");
    // Nothing but rubbish: the last good names are still known when the text comes back, and nothing ends.
    const text = editor.text(ORDER);
    await editor.replace(ORDER, text, "\u0000[[[{{{\n\t- : :");
    assert.deepEqual(await editor.complete(ORDER, "[[[¦"), []);
    await editor.replace(ORDER, editor.text(ORDER), text);
    includes(await editor.complete(ORDER, "goto: ¦hand_over"), "hand_over");
    assert.equal(await editor.stop(), 0);
  },

  async hover() {
    const editor = await Editor.start(program, project);
    await editor.open(MENU);
    await editor.open(ORDER);
    await editor.open(VIP);
    // Parameters from the plugin's own description.
    assert.match(await editor.hover(MENU, "    sh¦ort: main_menu_short"), /said again after a miss/);
    assert.match(await editor.hover(MENU, "    me¦nu: main_menu\n"), /attempts[^]*no_input/);
    assert.match(await editor.hover(VIP, "use: vip/dec¦ide@1"), /tier[^]*standard/);
    assert.match(await editor.hover(MENU, "ca¦ll: order-status"), /outcomes/);
    // Types of variables and fields.
    assert.match(await editor.hover(ORDER, "${order_¦no | digits}"), /text/);
    assert.match(await editor.hover(ORDER, "${order.to¦tal | money}"), /money/);
    assert.match(await editor.hover(ORDER, "${or¦der.total | money}"), /`status`[^]*`total`: money/);
    assert.match(await editor.hover(ORDER, "${order.total | mo¦ney}"), /Says an amount/);
    assert.match(await editor.hover(ORDER, "tr¦ies: { type"), /number/);
    // What a prompt says.
    assert.match(await editor.hover(MENU, "goto: ma¦in"), /step `main`/);
    assert.match(await editor.hover(MENU, "\n  b¦ye:"), /step `bye`/);
    assert.match(await editor.hover(MENU, "say: good¦bye"), /感谢您的来电/);
    // The rule's page on a finding.
    await editor.replace(ORDER, "goto: hand_over", "goto: hand_ovr");
    const page = await editor.hover(ORDER, "goto: hand¦_ovr");
    assert.match(page, /unknown-step[^]*no step of this flow/);
    await editor.stop();
  },

  async definition() {
    const editor = await Editor.start(program, project);
    await editor.open(MENU);
    await editor.open(ORDER);
    await editor.open(VIP);
    const leads = async (file, needle, to, text) => {
      const places = await editor.definition(file, needle);
      assert.equal(places.length, 1, `${needle}: ${JSON.stringify(places)}`);
      assert.equal(places[0].uri, editor.uri(to));
      assert.equal(editor.covered(to, places[0].range), text);
      return places[0].range.start.line;
    };
    const line = (file, text) => editor.text(file).split("\n").indexOf(text);
    assert.equal(await leads(MENU, "no_match: oper¦ator", MENU, "operator"), line(MENU, "  operator:                    # the menu works day and night; people do not"));
    assert.equal(await leads(MENU, "say: good¦bye", MENU, "goodbye"), line(MENU, "  goodbye:"));
    await leads(MENU, "call: order-¦status", ORDER, "order-status");
    await leads(MENU, "to: flow:vip-¦routing", VIP, "vip-routing");
    await leads(MENU, "hours: sup¦port", MENU, "support");
    await leads(MENU, "queue: front-¦desk", "queues.yaml", "front-desk");
    await leads(VIP, "use: vip/dec¦ide@1", "strowger.toml", "[plugins.vip]");
    await leads(ORDER, "${order_¦no | digits}", ORDER, "order_no");
    await leads(ORDER, "${or¦der.total", ORDER, "order");
    await leads(VIP, "reason: \"${rea¦son}\"", VIP, "reason");
    const [sound] = await editor.definition(VIP, "music: audio/ho¦ld.ogg");
    assert.equal(sound.uri, editor.uri("audio/hold.ogg"));
    await editor.stop();
  },

  async references() {
    const editor = await Editor.start(program, project);
    await editor.open(MENU);
    await editor.open(ORDER);
    const all = await editor.references(ORDER, "  hand_¦over:\n");
    const text = editor.text(ORDER);
    assert.equal(all.length, text.match(/\bhand_over\b/g).length);
    assert((await editor.references(ORDER, "  hand_¦over:\n", false)).length === all.length - 1);
    // Variables stand in prompts, in Chinese and in English, and in steps.
    const number = await editor.references(ORDER, "  order_¦no: text");
    assert.equal(number.length, 5);
    for (const place of number) assert.equal(editor.covered(ORDER, place.range), "order_no");
    // A flow is used by other files; so are outcomes.
    const flows = await editor.references(MENU, "call: order-¦status");
    assert.deepEqual(new Set(flows.map((place) => place.uri)), new Set([editor.uri(MENU), editor.uri(ORDER)]));
    const outcome = await editor.references(ORDER, "return: oper¦ator");
    assert.deepEqual(new Set(outcome.map((place) => place.uri)), new Set([editor.uri(MENU), editor.uri(ORDER)]));
    await editor.stop();
  },

  async rename() {
    const editor = await Editor.start(program, project);
    const before = await editor.open(MENU);
    await editor.open(ORDER);
    await editor.open(VIP);
    const renamed = async (file, needle, to) => {
      const { changes } = await editor.rename(file, needle, to);
      const texts = new Map();
      for (const [uri, edits] of Object.entries(changes)) {
        const other = [MENU, ORDER, VIP].find((known) => editor.uri(known) === uri);
        texts.set(other, editor.edited(other, edits));
      }
      return texts;
    };
    // A step, with its tests; the same word elsewhere stays.
    let texts = await renamed(MENU, "  oper¦ator:   ", "people");
    assert.deepEqual([...texts.keys()], [MENU]);
    assert.match(texts.get(MENU), /no_input: people[^]*- goto: people/);
    assert.match(texts.get(MENU), /operator: people/, "the outcome of the called flow keeps its name");
    const after = await editor.replace(MENU, editor.text(MENU), texts.get(MENU));
    assert.deepEqual(after.map((found) => found.code), before.map((found) => found.code));
    // The step that a flow begins with by its name, with a line that says so from then on.
    texts = await renamed(ORDER, "  sta¦rt:", "begin");
    assert.match(texts.get(ORDER), /\nstart: begin\nsteps:\n {2}begin:/);
    assert.deepEqual((await editor.replace(ORDER, editor.text(ORDER), texts.get(ORDER))).filter((found) => found.severity === 1), []);
    texts = await renamed(ORDER, "  beg¦in:", "start");
    assert.match(texts.get(ORDER), /\nstart: start\nsteps:\n {2}start:/);
    await editor.replace(ORDER, editor.text(ORDER), texts.get(ORDER));
    // A variable in prompts of two languages, `with:`, `into:`.
    texts = await renamed(ORDER, "into: order_¦no", "number");
    assert(!/\$\{order_no|into: order_no|^ {2}order_no:/m.test(texts.get(ORDER)));
    assert.match(texts.get(ORDER), /order_no: \$\{number\}/, "the plugin's input keeps its name");
    assert.deepEqual((await editor.replace(ORDER, editor.text(ORDER), texts.get(ORDER))).filter((found) => found.severity === 1), []);
    // An outcome, in the flow and where it is called.
    texts = await renamed(ORDER, "outcomes: [done, oper¦ator]", "person");
    assert.match(texts.get(ORDER), /outcomes: \[done, person\][^]*return: person/);
    assert.match(texts.get(MENU), /person: people/);
    // An input, in the flow and where it is given.
    await editor.replace(MENU, "    call: order-status\n    then:\n      done: main", "    call: vip-routing\n    with: { reason: order }\n    then:\n      done: main");
    texts = await renamed(VIP, "  rea¦son: { type", "why");
    assert.match(texts.get(VIP), /why: \{ type: text/);
    assert.match(texts.get(VIP), /reason: "\$\{why\}"/);
    assert.match(texts.get(MENU), /with: \{ why: order \}/);
    // What cannot be is refused with a reason.
    await assert.rejects(editor.rename(ORDER, "  hand_¦over:", "lookup"), /there already/);
    await assert.rejects(editor.rename(ORDER, "  hand_¦over:", "Hand Over"), /lower-case/);
    await assert.rejects(editor.rename(ORDER, "  tri¦es: ", "now"), /meaning of its own/);
    await assert.rejects(editor.rename(MENU, "queue: front-¦desk", "desk"), /queues\.yaml/);
    const range = await editor.ask(lsp.PrepareRenameRequest.type, editor.at(ORDER, "  hand_¦over:"));
    assert.equal(range.placeholder, "hand_over");
    await editor.stop();
  },

  async code_actions() {
    const editor = await Editor.start(program, project);
    await editor.open(ORDER);
    const found = await editor.replace(ORDER, "goto: hand_over", "goto: hand_ovr");
    const finding = found.find((one) => one.code === "unknown-step");
    const actions = await editor.ask(lsp.CodeActionRequest.type, {
      textDocument: { uri: editor.uri(ORDER) },
      range: finding.range,
      context: { diagnostics: [finding] },
    });
    assert.equal(actions.length, 1);
    assert.equal(actions[0].kind, "quickfix");
    const [edits] = Object.values(actions[0].edit.changes);
    const fixed = editor.edited(ORDER, edits);
    assert.match(fixed, /goto: hand_over/);
    const clean = await editor.replace(ORDER, editor.text(ORDER), fixed);
    assert(!clean.some((one) => one.code === "unknown-step"));
    await editor.stop();
  },

  async outline() {
    const editor = await Editor.start(program, project);
    await editor.open(MENU);
    const symbols = await editor.ask(lsp.DocumentSymbolRequest.type, { textDocument: { uri: editor.uri(MENU) } });
    assert.deepEqual(labels(symbols.map(({ name }) => ({ label: name }))), ["hours", "prompts", "steps", "tests"]);
    const steps = symbols[2].children;
    assert.deepEqual(steps.map((step) => step.name), ["language", "main", "orders", "closed", "operator", "desk", "sorry", "bye"]);
    assert.equal(editor.covered(MENU, steps[0].selectionRange), "language");
    assert.equal(steps.find((step) => step.name === "closed").detail, "say, record");
    await editor.stop();
  },

  /// The layout of `strowger fmt`, as one small change; a file that cannot be read is refused with the place.
  async formatting() {
    const editor = await Editor.start(program, project);
    await editor.open(ORDER);
    const laid = spawnSync(program, ["fmt", "-"], { input: editor.text(ORDER), encoding: "utf8" }).stdout;
    await editor.replace(ORDER, editor.text(ORDER), laid);
    const ask = () => editor.ask(lsp.DocumentFormattingRequest.type, {
      textDocument: { uri: editor.uri(ORDER) },
      options: { tabSize: 8, insertSpaces: false },
    });
    assert.deepEqual(await ask(), []);
    await editor.replace(ORDER, "    into: order_no", "    into:    order_no");
    const edits = await ask();
    assert.equal(edits.length, 1);
    assert.equal(edits[0].range.end.line - edits[0].range.start.line, 1, JSON.stringify(edits));
    assert.equal(editor.edited(ORDER, edits), laid);
    await editor.replace(ORDER, "    into:    order_no", "    into: [");
    await assert.rejects(ask(), /line \d+/);
    await editor.stop();
  },

  /// The project on the disk: a queue more, a flow less, a broken strowger.toml.
  async the_disk_changes() {
    const editor = await Editor.start(program, project);
    await editor.open(MENU);
    await editor.replace(MENU, "queue: front-desk", "queue: night-desk");
    await editor.told(MENU, (told) => told.diagnostics.some((found) => found.code === "unknown-queue"));
    appendFileSync(join(project, "queues.yaml"), "");
    const queues = readFileSync(join(project, "queues.yaml"), "utf8");
    writeFileSync(join(project, "queues.yaml"), queues.replace("queues:\n", "queues:\n  night-desk: { title: Night }\n"));
    const changed = (file) => editor.connection.sendNotification(lsp.DidChangeWatchedFilesNotification.type, {
      changes: [{ uri: editor.uri(file), type: lsp.FileChangeType.Changed }],
    });
    await changed("queues.yaml");
    await editor.told(MENU, (told) => !told.diagnostics.some((found) => found.code === "unknown-queue"));
    const toml = readFileSync(join(project, "strowger.toml"), "utf8");
    writeFileSync(join(project, "strowger.toml"), `${toml}\n[nonsense`);
    await changed("strowger.toml");
    const told = await editor.told("strowger.toml", (told) => told.diagnostics.length > 0);
    assert.deepEqual(told[0].range.start.line, toml.split("\n").length, "where it stands");
    includes(await editor.complete(MENU, "queue: ¦night-desk"), "night-desk");
    writeFileSync(join(project, "strowger.toml"), toml);
    await changed("strowger.toml");
    await editor.told("strowger.toml", (told) => told.diagnostics.length === 0);
    await editor.stop();
  },

  /// Messages that no editor should send.
  async hostile_messages() {
    const editor = await Editor.start(program, project);
    await editor.open(ORDER);
    const { connection } = editor;
    const refused = async (method, params, code) => {
      await assert.rejects(connection.sendRequest(method, params), (error) => error.code === code);
    };
    await refused("textDocument/nonsense", {}, -32601);
    await refused("textDocument/hover", { wrong: true }, -32602);
    await refused("textDocument/hover", [1, 2], -32602);
    await refused("initialize", { capabilities: {} }, -32600);
    await connection.sendNotification("textDocument/didChange", { wrong: true });
    await connection.sendNotification("textDocument/unheardOf", {});
    await connection.sendNotification("$/cancelRequest", { id: 4711 });
    // Positions far outside, backwards ranges, files that are not open.
    const far = { textDocument: { uri: editor.uri(ORDER) }, position: { line: 4294967295, character: 4294967295 } };
    await connection.sendRequest("textDocument/completion", far);
    assert.equal(await connection.sendRequest("textDocument/hover", far), null);
    const nowhere = { textDocument: { uri: "untitled:Untitled-1" }, position: { line: 0, character: 0 } };
    assert.equal(await connection.sendRequest("textDocument/hover", nowhere), null);
    await connection.sendNotification("textDocument/didChange", {
      textDocument: { uri: editor.uri("not-open.flow.yaml"), version: 7 },
      contentChanges: [{ text: "x" }],
    });
    // Bytes that are no message: JSON that is none, a batch, an id that is a map.
    for (const body of ["{", "[]", '"x"', '{"jsonrpc":"2.0","id":{},"method":"shutdown"}', '{"jsonrpc":"2.0"}']) {
      editor.process.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    }
    // A flow over every limit is a finding, and the next one is checked as before.
    const huge = `flow: huge\nformat: 1\nsteps:\n${"  s: { say: hello }\n".repeat(80_000)}`;
    const found = await editor.open("huge.flow.yaml", huge);
    assert(found.some((one) => one.code === "yaml-limit"), JSON.stringify(found.slice(0, 2)));
    await connection.sendRequest("textDocument/completion", {
      textDocument: { uri: editor.uri("huge.flow.yaml") },
      position: { line: 70_000, character: 7 },
    });
    assert((await editor.complete(ORDER, "goto: ¦hand_over")).length > 0);
    assert(editor.logged.some((line) => line.includes("didChange")));
    assert.equal(await editor.stop(), 0);
  },

  /// An editor that goes away without a word, one that says only `exit`, one that comes before its time.
  async endings() {
    const gone = await Editor.start(program, project);
    gone.process.stdin.end();
    assert.equal(await gone.ended, 1);
    const curt = await Editor.start(program, project);
    await curt.connection.sendNotification(lsp.ExitNotification.type);
    assert.equal(await curt.ended, 1);
    const early = new Editor(program, project);
    await assert.rejects(early.ask(lsp.ShutdownRequest.type), (error) => error.code === -32002);
    await early.initialize();
    await early.ask(lsp.ShutdownRequest.type);
    await assert.rejects(early.ask("textDocument/hover", {}), (error) => error.code === -32600);
    await early.connection.sendNotification(lsp.ExitNotification.type);
    assert.equal(await early.ended, 0);
    const typed = new Editor(program, project);
    typed.process.stdin.write("hello?\n");
    assert.equal(await typed.ended, 2);
  },

  /// A flow outside any project knows the standard steps.
  async a_lone_file() {
    const editor = await Editor.start(program, project);
    const text = "flow: lone\nformat: 1\nsteps:\n  start:\n    say: Hello.\n    then: bye\n  bye:\n    hangup: completed\n";
    const found = await editor.open("elsewhere/lone.flow.yaml", text);
    assert.deepEqual(found.filter((one) => one.severity === 1), []);
    includes(await editor.complete("elsewhere/lone.flow.yaml", "then: ¦bye"), "bye", "start");
    await editor.replace("elsewhere/lone.flow.yaml", "then: bye", "then: by");
    await editor.stop();
  },
};

if (name === "--list") {
  console.log(Object.keys(cases).join("\n"));
} else {
  assert(cases[name], `there is no case ${name}`);
  await cases[name]();
  process.exit(0);
}
