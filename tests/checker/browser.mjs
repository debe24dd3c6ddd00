// A real browser, and the small server that it loads the checker from.

import { accessSync, constants, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const TYPES = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };

const HEADERS = {
  // What a page that runs the checker must allow, and nothing else.
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
  // Isolated, a page has a clock of 5 µs; otherwise of 100 µs.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

// No sandbox, since tests may run as root; nothing that talks to anybody.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/// The browser: CHROMIUM, else the first of the usual names.
function program() {
  const named = process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const names = named ? [named] : ["chromium", "chromium-browser", "google-chrome"];
  for (const name of names) {
    for (const path of name.includes("/") ? [name] : folders.map((folder) => join(folder, name))) {
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next one.
      }
    }
  }
  throw new Error(`no browser: none of ${names.join(", ")} is there; run \`make setup\`, or name one by CHROMIUM=`);
}

/// Serves files by name on a port of its own.
function serve(files) {
  const server = createServer((request, response) => {
    const name = new URL(request.url, "http://localhost").pathname.slice(1);
    const body = files[name];
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[name.split(".").pop()];
    response.writeHead(200, { "content-type": type, ...HEADERS }).end(body);
  });
  return new Promise((done, failed) => {
    server.on("error", failed);
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

/// Opens an empty page beside the module, its loader and some scripts; what `use` makes of it.
export async function withPage(module, scripts, use) {
  const files = {
    "page.html": "<!doctype html><meta charset=utf-8><title>checker</title>",
    "strowger-checker.wasm": readFileSync(join(module, "strowger-checker.wasm")),
    "checker.js": readFileSync(join(module, "checker.js")),
  };
  for (const script of scripts) files[script] = readFileSync(new URL(script, import.meta.url));
  const server = await serve(files);
  const browser = await chromium.launch({ executablePath: program(), args: FLAGS });
  try {
    const page = await browser.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
    const made = await use(page, browser);
    if (faults.length > 0) throw new Error(faults.join("\n"));
    return made;
  } finally {
    await browser.close();
    server.close();
  }
}
