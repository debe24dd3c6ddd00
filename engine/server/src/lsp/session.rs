//! A session with an editor, from `initialize` to `exit`.

use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, HoverProviderCapability,
    InitializeParams, InitializeResult, OneOf, PositionEncodingKind, RenameOptions, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use strowger_flow::diagnostic::Language;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::sync::mpsc;

use super::answers::{self, Refusal};
use super::wire::{
    self, INVALID_PARAMS, INVALID_REQUEST, Incoming, METHOD_NOT_FOUND, NOT_INITIALIZED, WireError,
    Writer,
};
use super::workspace::{Workspace, path_of};

/// Most messages that are read ahead of the one being answered; then the editor waits.
const READ_AHEAD: usize = 256;

/// What changes beside the open files: flows, queues, routes, plugins and audio.
const WATCHED: [&str; 6] = [
    "**/*.flow.yaml",
    "**/strowger.toml",
    "**/queues.yaml",
    "**/routes.yaml",
    "**/plugins/*.wasm",
    "**/audio/**",
];

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The editor said `shutdown`, then `exit`.
    Asked,
    /// It said `exit` alone, or went away.
    Left,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `initialize` has not come.
    New,
    /// Requests are answered.
    Running,
    /// `shutdown` has come: only `exit` may follow.
    Down,
}

/// Speaks with an editor until it leaves.
///
/// # Errors
///
/// When the editor's messages cannot be read, or it does not take ours.
pub async fn serve(
    input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin,
) -> Result<Ended, WireError> {
    let (sender, mut messages) = mpsc::channel(READ_AHEAD);
    tokio::spawn(async move {
        let mut input = BufReader::new(input);
        while let Some(message) = wire::read(&mut input).await {
            let failed = matches!(message, Incoming::Failed(_));
            if sender.send(message).await.is_err() || failed {
                break;
            }
        }
    });
    let (workspace, fault) = Workspace::new();
    let mut session = Session {
        phase: Phase::New,
        workspace,
        fault,
        watches: false,
        writer: Writer::new(output),
    };
    while let Some(message) = messages.recv().await {
        if let Some(ended) = session.take(message).await? {
            return Ok(ended);
        }
        // All that has arrived is taken in before anything is checked.
        while let Ok(message) = messages.try_recv() {
            if let Some(ended) = session.take(message).await? {
                return Ok(ended);
            }
        }
        for told in session.workspace.check() {
            session
                .writer
                .notify("textDocument/publishDiagnostics", told)
                .await?;
        }
    }
    Ok(Ended::Left)
}

struct Session<W> {
    phase: Phase,
    workspace: Workspace,
    /// Why plugins cannot be loaded, until it has been told.
    fault: Option<String>,
    /// Whether the editor watches files for whoever asks.
    watches: bool,
    writer: Writer<W>,
}

impl<W: AsyncWrite + Unpin> Session<W> {
    async fn take(&mut self, message: Incoming) -> Result<Option<Ended>, WireError> {
        match message {
            Incoming::Request { id, method, params } => self.request(id, &method, params).await?,
            Incoming::Notification { method, .. } if method == "exit" => {
                return Ok(Some(match self.phase {
                    Phase::Down => Ended::Asked,
                    Phase::New | Phase::Running => Ended::Left,
                }));
            }
            Incoming::Notification { method, params } => {
                if self.phase == Phase::Running {
                    self.notification(&method, params).await?;
                }
            }
            Incoming::Response => {}
            Incoming::Malformed { id, code, why } => self.writer.refuse(id, code, &why).await?,
            Incoming::Failed(error) => return Err(error),
        }
        Ok(None)
    }

    async fn request(&mut self, id: Value, method: &str, params: Value) -> Result<(), WireError> {
        match (self.phase, method) {
            (Phase::New, "initialize") => match serde_json::from_value(params) {
                Ok(params) => {
                    let result = self.initialize(params).await;
                    self.phase = Phase::Running;
                    self.writer.answer(id, result).await
                }
                Err(error) => {
                    let why = format!("initialize: {error}");
                    self.writer.refuse(id, INVALID_PARAMS, &why).await
                }
            },
            (Phase::New, _) => {
                let why = "say `initialize` first";
                self.writer.refuse(id, NOT_INITIALIZED, why).await
            }
            (Phase::Down, _) => {
                let why = "after `shutdown` only `exit` is understood";
                self.writer.refuse(id, INVALID_REQUEST, why).await
            }
            (Phase::Running, "initialize") => {
                let why = "`initialize` has been said already";
                self.writer.refuse(id, INVALID_REQUEST, why).await
            }
            (Phase::Running, "shutdown") => {
                self.phase = Phase::Down;
                self.writer.answer(id, Value::Null).await
            }
            (Phase::Running, method) => match answers::answer(&self.workspace, method, params) {
                Some(Ok(result)) => self.writer.answer(id, result).await,
                Some(Err(Refusal { code, why })) => self.writer.refuse(id, code, &why).await,
                None => {
                    let why = format!("`{method}` is not offered");
                    self.writer.refuse(id, METHOD_NOT_FOUND, &why).await
                }
            },
        }
    }

    async fn initialize(&mut self, params: InitializeParams) -> Value {
        if params
            .locale
            .as_deref()
            .is_some_and(|locale| locale.to_ascii_lowercase().starts_with("zh"))
        {
            self.workspace.language = Language::Chinese;
        }
        let watching = params.capabilities.workspace.as_ref();
        let watching = watching.and_then(|workspace| workspace.did_change_watched_files);
        self.watches = watching.is_some_and(|watching| watching.dynamic_registration == Some(true));
        // The folder that clients before 3.6 name.
        #[allow(deprecated)]
        let root = params.root_uri;
        let folders = params.workspace_folders.unwrap_or_default();
        for uri in folders.into_iter().map(|folder| folder.uri).chain(root) {
            self.workspace.open_project(&path_of(&uri)).await;
        }
        let result = InitializeResult {
            capabilities: capabilities(),
            server_info: Some(ServerInfo {
                name: "strowger".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        };
        json!(result)
    }

    async fn notification(&mut self, method: &str, params: Value) -> Result<(), WireError> {
        let workspace = &mut self.workspace;
        let done = match method {
            "initialized" => return self.initialized().await,
            "textDocument/didOpen" => {
                let params: Result<DidOpenTextDocumentParams, _> = understood(method, params);
                match params {
                    Ok(params) => {
                        let document = params.text_document;
                        workspace
                            .open(document.uri, document.version, &document.text)
                            .await;
                        Ok(())
                    }
                    Err(why) => Err(why),
                }
            }
            "textDocument/didChange" => {
                understood(method, params).map(|params: DidChangeTextDocumentParams| {
                    let document = params.text_document;
                    workspace.change(&document.uri, document.version, params.content_changes);
                })
            }
            "textDocument/didClose" => {
                understood(method, params).map(|params: DidCloseTextDocumentParams| {
                    workspace.close(&params.text_document.uri);
                })
            }
            "textDocument/didSave" => match understood(method, params) {
                Ok(params) => {
                    let params: DidSaveTextDocumentParams = params;
                    workspace.disk_changed(&params.text_document.uri).await;
                    Ok(())
                }
                Err(why) => Err(why),
            },
            "workspace/didChangeWatchedFiles" => match understood(method, params) {
                Ok(params) => {
                    let params: DidChangeWatchedFilesParams = params;
                    for change in params.changes {
                        workspace.disk_changed(&change.uri).await;
                    }
                    Ok(())
                }
                Err(why) => Err(why),
            },
            // Everything else is news that nothing here depends on, `$/cancelRequest` among it: answers are
            // made in the order of the requests, and quickly.
            _ => Ok(()),
        };
        match done {
            Ok(()) => Ok(()),
            Err(why) => self.log(&why).await,
        }
    }

    async fn initialized(&mut self) -> Result<(), WireError> {
        if let Some(fault) = self.fault.take() {
            self.log(&fault).await?;
        }
        if self.watches {
            let watchers: Vec<Value> = WATCHED
                .iter()
                .map(|pattern| json!({ "globPattern": pattern }))
                .collect();
            let registration = json!({
                "id": "files",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watchers },
            });
            let params = json!({ "registrations": [registration] });
            self.writer
                .ask("watch-files", "client/registerCapability", params)
                .await?;
        }
        Ok(())
    }

    /// Tells the editor's log of something that went wrong; nobody waits for it.
    async fn log(&mut self, message: &str) -> Result<(), WireError> {
        let params = json!({ "type": 1, "message": message });
        self.writer.notify("window/logMessage", params).await
    }
}

fn understood<T: DeserializeOwned>(method: &str, params: Value) -> Result<T, String> {
    serde_json::from_value(params).map_err(|error| format!("{method} is not understood: {error}"))
}

/// What is offered; the answers are in [`answers::answer`].
fn capabilities() -> ServerCapabilities {
    let triggers = [".", "|", ":", " ", "{", "$", "/"];
    ServerCapabilities {
        // The encoding that every client knows; positions need no other.
        position_encoding: Some(PositionEncodingKind::UTF16),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                    include_text: Some(false),
                })),
                ..TextDocumentSyncOptions::default()
            },
        )),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(triggers.map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}
