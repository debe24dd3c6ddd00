// An editor without a window: a process of the language server, and the documents that it has open.
// Messages go through the library that VS Code uses; texts are changed by its own rules.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as lsp from "vscode-languageserver-protocol/node";

export class Editor {
  constructor(program, project) {
    this.project = project;
    this.texts = new Map();
    this.versions = new Map();
    this.findings = new Map();
    this.waiting = [];
    this.logged = [];
    this.process = spawn(program, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((done) => this.process.on("exit", done));
    this.connection = lsp.createProtocolConnection(
      new lsp.StreamMessageReader(this.process.stdout),
      new lsp.StreamMessageWriter(this.process.stdin),
    );
    this.connection.onNotification(lsp.PublishDiagnosticsNotification.type, (told) => {
      this.findings.set(told.uri, told);
      this.waiting = this.waiting.filter((waits) => !waits());
    });
    this.connection.onNotification(lsp.LogMessageNotification.type, (told) => this.logged.push(told.message));
    this.connection.onRequest(lsp.RegistrationRequest.type, () => null);
    this.connection.listen();
  }

  static async start(program, project, locale) {
    const editor = new Editor(program, project);
    editor.capabilities = await editor.initialize(locale);
    return editor;
  }

  async initialize(locale) {
    const { capabilities } = await this.connection.sendRequest(lsp.InitializeRequest.type, {
      processId: process.pid,
      locale,
      rootUri: pathToFileURL(this.project).href,
      workspaceFolders: [{ uri: pathToFileURL(this.project).href, name: "aurora" }],
      capabilities: { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } },
    });
    await this.connection.sendNotification(lsp.InitializedNotification.type, {});
    return capabilities;
  }

  uri(file) {
    return pathToFileURL(join(this.project, file)).href;
  }

  text(file) {
    return this.texts.get(file);
  }

  async open(file, text = readFileSync(join(this.project, file), "utf8")) {
    this.texts.set(file, text);
    this.versions.set(file, 1);
    await this.connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
      textDocument: { uri: this.uri(file), languageId: "yaml", version: 1, text },
    });
    return this.checked(file);
  }

  /// Replaces the first occurrence of a text, as an incremental change, and waits for the findings.
  async replace(file, old, by) {
    this.type(file, old, by);
    return this.checked(file);
  }

  /// The same without waiting.
  type(file, old, by) {
    const text = this.text(file);
    const start = text.indexOf(old);
    assert(start >= 0, `${file} has no ${JSON.stringify(old)}`);
    const range = { start: this.position(text, start), end: this.position(text, start + old.length) };
    // A function, so that `$` in the text means nothing.
    this.texts.set(file, text.replace(old, () => by));
    const version = this.versions.get(file) + 1;
    this.versions.set(file, version);
    return this.connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
      textDocument: { uri: this.uri(file), version },
      contentChanges: [{ range, text: by }],
    });
  }

  /// The findings of a file in its present version.
  checked(file) {
    return this.told(file, (told) => told.version === this.versions.get(file));
  }

  /// What has been told of a file, once a condition holds.
  told(file, holds) {
    const uri = this.uri(file);
    const now = () => {
      const told = this.findings.get(uri);
      return told && holds(told) ? told : undefined;
    };
    return new Promise((done) => {
      const attempt = () => {
        const told = now();
        if (told) done(told.diagnostics);
        return told !== undefined;
      };
      if (!attempt()) this.waiting.push(attempt);
    });
  }

  /// JavaScript's strings count in UTF-16, as the protocol does.
  position(text, offset) {
    const before = text.slice(0, offset);
    const line = before.split("\n").length - 1;
    return { line, character: offset - (before.lastIndexOf("\n") + 1) };
  }

  offset(text, { line, character }) {
    let start = 0;
    for (let n = 0; n < line; n += 1) start = text.indexOf("\n", start) + 1;
    return start + character;
  }

  /// What a range of a file covers.
  covered(file, range) {
    const text = this.text(file) ?? readFileSync(join(this.project, file), "utf8");
    return text.slice(this.offset(text, range.start), this.offset(text, range.end));
  }

  /// The place of `|` in a needle: `then: |lookup`.
  at(file, needle) {
    const text = this.text(file);
    const mark = needle.indexOf("¦");
    const plain = needle.replace("¦", "");
    const start = text.indexOf(plain);
    assert(start >= 0, `${file} has no ${JSON.stringify(plain)}`);
    return {
      textDocument: { uri: this.uri(file) },
      position: this.position(text, start + Math.max(mark, 0)),
    };
  }

  ask(type, params) {
    return this.connection.sendRequest(type, params);
  }

  async complete(file, needle) {
    const list = await this.ask(lsp.CompletionRequest.type, this.at(file, needle));
    return list.items;
  }

  async hover(file, needle) {
    const hover = await this.ask(lsp.HoverRequest.type, this.at(file, needle));
    return hover?.contents.value;
  }

  async definition(file, needle) {
    return this.ask(lsp.DefinitionRequest.type, this.at(file, needle));
  }

  async references(file, needle, includeDeclaration = true) {
    const context = { includeDeclaration };
    return this.ask(lsp.ReferencesRequest.type, { ...this.at(file, needle), context });
  }

  async rename(file, needle, newName) {
    return this.ask(lsp.RenameRequest.type, { ...this.at(file, needle), newName });
  }

  /// A file's text with edits taken in.
  edited(file, edits) {
    let text = this.text(file) ?? readFileSync(join(this.project, file), "utf8");
    const last = [...edits].sort((a, b) => this.offset(text, b.range.start) - this.offset(text, a.range.start));
    for (const { range, newText } of last) {
      text = text.slice(0, this.offset(text, range.start)) + newText + text.slice(this.offset(text, range.end));
    }
    return text;
  }

  async stop() {
    await this.ask(lsp.ShutdownRequest.type);
    await this.connection.sendNotification(lsp.ExitNotification.type);
    return this.ended;
  }
}
