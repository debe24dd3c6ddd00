// The flow checker for a browser page, a Web Worker or Node: no framework, no other file but the module.
//
//   import { Checker, Places } from "./checker.js";
//   const checker = await Checker.load();                  // the module lies beside this file
//   const project = checker.open(catalog);                 // what `strowger schema --catalogue` prints
//   const { findings } = project.check("main-menu.flow.yaml", text);
//   const places = new Places(text);
//   for (const finding of findings) mark(places.range(finding), finding.message);
//
// Everything answers at once, and the text of a file crosses over once for each key press: `check` takes it in, and
// the other questions are about the text that was checked last. Places in a text (`at`, `from`, `to`, `edited`) count as
// JavaScript's strings do, in UTF-16 units from 0; lines and columns of findings count from 1, columns in characters.
//
// A question that cannot be answered throws a CheckerError, and the checker goes on. A fault of the module itself throws
// a CheckerFault: that checker answers nothing any more, and its projects are lost. Load another one.
//
// A page's Content-Security-Policy must allow `'wasm-unsafe-eval'` in `script-src`.

/** @typedef {"en" | "zh"} Language */

/**
 * A range of a text in lines and columns, both from 1; columns count characters.
 * @typedef {object} Place
 * @property {number} line
 * @property {number} column
 * @property {number} endLine
 * @property {number} endColumn the column after the last character
 */

/**
 * A finding, as `strowger check --format json` prints it.
 * @typedef {Place & {
 *   rule: string, level: "error" | "warning", message: string, file: string, help: string | null,
 *   fix: (Place & { replacement: string }) | null, labels: (Place & { text: string })[] }} Finding
 */

/**
 * The worst that can happen to a caller of a flow without errors, as `strowger check --format json` prints it.
 * @typedef {Place & {
 *   rule: "worst-case", level: "note", message: string, file: string, help: null, fix: null, flow: string,
 *   toPersonMs: number, chatToPersonMs: number, unmeasured: string[], toEndMs: number, silenceMs: number, silenceLine: number, calls: string[] }} WorstCase
 */

/**
 * @typedef {object} Checked
 * @property {string | null} flow the flow's name, once the text can be read
 * @property {Finding[]} findings in the order of the file
 * @property {WorstCase | null} worst there exactly when there is no error
 * @property {string[]} affected other files whose findings may have changed with this one; check them again
 */

/**
 * Something that could be written in the place of `from` to `to`.
 * @typedef {object} Offer
 * @property {string} label as it is shown and found
 * @property {"step" | "key" | "outcome" | "target" | "prompt" | "flow" | "variable" | "filter" | "word" | "name" | "file"} kind
 * @property {string} detail a few words; may be empty
 * @property {string} page Markdown; may be empty
 * @property {string} insert
 * @property {number} from
 * @property {number} to
 */

/**
 * An entry of the outline: the whole of it, and its name in the text.
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} detail
 * @property {"section" | "step" | "prompt" | "variable" | "hours" | "test"} kind
 * @property {number} from
 * @property {number} to
 * @property {number} nameFrom
 * @property {number} nameTo
 * @property {Entry[]} children
 */

/**
 * What flows may refer to. A list that is null or left out cannot be known, and nothing is told of its names.
 * @typedef {object} Catalog
 * @property {Record<string, object>} [steps] descriptions of plugins' steps, by `plugin/step@major`
 * @property {Record<string, string>} [verbs] verbs that are short for a step, to its key
 * @property {Record<string, { inputs: Record<string, { type: any, required: boolean }>, outcomes: string[], unreadable?: boolean, passive?: object, results?: object, runs?: { names: string[], any?: string[], leads: string[] } }> | null} [flows]
 *   the project's flows, what each does to a caller who does nothing, comes back with and runs (`strowger_flow::survey`); those of files that have been checked here replace what is given
 * @property {string[] | null} [queues]
 * @property {string[] | null} [destinations] suppliers and what else `transfer:` takes
 * @property {string[] | null} [audio] audio files, by path below the project's folder
 * @property {Record<string, number>} [audio_ms] how long they last, in milliseconds, where that is known
 */

/**
 * @typedef {object} About
 * @property {string} version the version of Strowger that the module was built from
 * @property {{ requestBytes: number, projects: number, files: number, heldBytes: number }} limits
 */

/**
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {(length: number) => number} strowger_request
 * @property {() => number} strowger_ask
 * @property {() => number} strowger_answer
 * @property {() => number} strowger_fault
 * @property {() => number} strowger_fault_length
 */

/** A question that cannot be answered: `code` is for programs, the message says what to do. */
export class CheckerError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "CheckerError";
    this.code = code;
  }
}

/** A fault of the module: its checker answers nothing any more. Load another one. */
export class CheckerFault extends Error {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = "CheckerFault";
  }
}

/** The checker. */
export class Checker {
  /** @type {Exports} */
  #module;
  /** @type {string | undefined} */
  #fault;
  #encoder = new TextEncoder();
  // A byte order mark is part of an answer.
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    this.#module = /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
  }

  /**
   * Loads the module: by its address, from its bytes, or from what WebAssembly made of it. Left out, it lies beside
   * this file. Node, which fetches no `file:` URLs, reads the file.
   * @param {string | URL | Response | BufferSource | WebAssembly.Module | Promise<Response>} [source]
   * @returns {Promise<Checker>}
   */
  static async load(source = new URL("./strowger-checker.wasm", import.meta.url)) {
    let given = await source;
    if (typeof given === "string" || given instanceof URL) given = await at(given);
    const module = given instanceof WebAssembly.Module ? given : await compile(given);
    return new Checker(await WebAssembly.instantiate(module));
  }

  /** @returns {About} */
  about() {
    return this.ask({ ask: "about" });
  }

  /**
   * Opens a project. It holds memory until it is closed.
   * @param {Catalog} [catalog] left out: nothing is known, as of a file outside any project
   * @returns {Project}
   */
  open(catalog = {}) {
    return new Project(this, this.ask({ ask: "open", catalog }).project);
  }

  /**
   * All rules, a line each.
   * @param {Language} [language]
   * @returns {{ rule: string, level: "error" | "warning", title: string }[]}
   */
  rules(language = "en") {
    return this.ask({ ask: "rules", language }).rules;
  }

  /**
   * The page of a rule in Markdown, as `strowger explain` prints it.
   * @param {string} rule
   * @param {Language} [language]
   * @returns {string}
   */
  explain(rule, language = "en") {
    return this.ask({ ask: "explain", rule, language }).page;
  }

  /**
   * Asks anything.
   * @param {object} request
   * @returns {any}
   */
  ask(request) {
    const { answer, error } = JSON.parse(this.askText(JSON.stringify(request)));
    if (error) throw new CheckerError(error.code, error.message);
    return answer;
  }

  /**
   * The same in JSON, letter for letter; errors are told in the answer.
   * @param {string} request
   * @returns {string}
   */
  askText(request) {
    if (this.#fault !== undefined) throw new CheckerFault(this.#fault);
    const bytes = this.#encoder.encode(request);
    const module = this.#module;
    try {
      const room = module.strowger_request(bytes.length);
      if (room === 0) throw new CheckerError("too-long", `the request has ${bytes.length} bytes, more than are taken`);
      // The memory may have grown, and then it is another buffer: it is looked up each time.
      new Uint8Array(module.memory.buffer, room, bytes.length).set(bytes);
      const length = module.strowger_ask();
      return this.#text(module.strowger_answer(), length);
    } catch (error) {
      if (error instanceof CheckerError) throw error;
      const said = this.#text(module.strowger_fault(), module.strowger_fault_length());
      this.#fault = `the checker has failed and must be loaded again: ${said || error}`;
      throw new CheckerFault(this.#fault, { cause: error });
    }
  }

  /**
   * @param {number} address
   * @param {number} length
   */
  #text(address, length) {
    return this.#decoder.decode(new Uint8Array(this.#module.memory.buffer, address, length));
  }
}

/** A project that is open. */
export class Project {
  #checker;
  #number;

  /**
   * @param {Checker} checker
   * @param {number} number
   */
  constructor(checker, number) {
    this.#checker = checker;
    this.#number = number;
  }

  /**
   * Takes in the text of a file, and checks it.
   * @param {string} file its name in findings
   * @param {string} text
   * @param {{ edited?: number, language?: Language }} [options] `edited`: where the text was changed last
   * @returns {Checked}
   */
  check(file, text, options = {}) {
    return this.#ask("check", file, { text, ...options });
  }

  /**
   * What `strowger check` prints of a file: findings as frames or as lines of JSON, then the worst case.
   * @param {string} file
   * @param {{ form?: "text" | "json", language?: Language }} [options]
   * @returns {{ findings: string, worst: string }}
   */
  report(file, { form = "text", language = "en" } = {}) {
    return this.#ask("report", file, { form, language });
  }

  /**
   * What could be written at a place, the best first; `all` says that nothing was left out.
   * @param {string} file
   * @param {number} at
   * @returns {{ offers: Offer[], all: boolean }}
   */
  complete(file, at) {
    return this.#ask("complete", file, { at });
  }

  /**
   * What stands at a place, in Markdown: the pages of the findings there, and what the language says.
   * @param {string} file
   * @param {number} at
   * @param {Language} [language]
   * @returns {{ from: number, to: number, page: string } | null}
   */
  hover(file, at, language = "en") {
    return this.#ask("hover", file, { at, language });
  }

  /**
   * The sections of a file with what they name.
   * @param {string} file
   * @returns {Entry[]}
   */
  outline(file) {
    return this.#ask("outline", file).symbols;
  }

  /**
   * The text in the one layout, as `strowger fmt` writes it. Throws `not-laid-out` when it cannot be read as a whole.
   * @param {string} file
   * @returns {string}
   */
  format(file) {
    return this.#ask("format", file).text;
  }

  /**
   * The flow as a picture, as `strowger graph` draws it. Throws `has-errors`, and `too-large` for an SVG.
   * @param {string} file
   * @param {"mermaid" | "dot" | "svg"} [form]
   * @returns {string}
   */
  graph(file, form = "mermaid") {
    return this.#ask("graph", file, { form }).graph;
  }

  /**
   * Lets go of a file: what the catalogue says of its flow counts again. The other files whose findings may have changed.
   * @param {string} file
   * @returns {string[]}
   */
  forget(file) {
    return this.#ask("forget", file).affected;
  }

  /** Closes the project and lets go of its files. */
  close() {
    this.#checker.ask({ ask: "close", project: this.#number });
  }

  /**
   * @param {string} ask
   * @param {string} file
   * @param {object} [more]
   * @returns {any}
   */
  #ask(ask, file, more) {
    return this.#checker.ask({ ask, project: this.#number, file, ...more });
  }
}

/** Where lines and columns of findings, labels and fixes are in a text. */
export class Places {
  #text;
  /** @type {number[]} */
  #starts = [0];

  /** @param {string} text the text that was checked */
  constructor(text) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /**
   * A range of lines and columns in UTF-16 units.
   * @param {Place} place
   * @returns {{ from: number, to: number }}
   */
  range({ line, column, endLine, endColumn }) {
    return { from: this.#at(line, column), to: this.#at(endLine, endColumn) };
  }

  /**
   * @param {number} line
   * @param {number} column
   */
  #at(line, column) {
    let at = this.#starts[line - 1] ?? this.#text.length;
    for (let n = 1; n < column && at < this.#text.length; n += 1) {
      at += /** @type {number} */ (this.#text.codePointAt(at)) > 0xffff ? 2 : 1;
    }
    return at;
  }
}

/**
 * What stands at an address.
 * @param {string | URL} address
 * @returns {Promise<Response | BufferSource>}
 */
async function at(address) {
  const inNode = /** @type {any} */ (globalThis).process?.versions?.node !== undefined;
  if (!inNode || !String(address).startsWith("file:")) return fetch(address);
  // By a name in a variable: a bundler for pages must not look for it.
  const files = "node:fs/promises";
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ files);
  return readFile(new URL(address));
}

/**
 * A module from its bytes, while they arrive if they come under their own type.
 * @param {Response | BufferSource} source
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source) {
  if (!(source instanceof Response)) return WebAssembly.compile(source);
  if (!source.ok) throw new Error(`${source.url} cannot be fetched: ${source.status} ${source.statusText}`);
  const type = source.headers.get("content-type") ?? "";
  if (type.startsWith("application/wasm")) return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}
