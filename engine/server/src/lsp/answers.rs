//! Answers to an editor's questions.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse,
    CompletionItem, CompletionItemKind, CompletionList, CompletionParams, CompletionTextEdit,
    DocumentFormattingParams, DocumentSymbol, DocumentSymbolParams, Documentation,
    GotoDefinitionParams, Hover, HoverContents, HoverParams, MarkupContent, MarkupKind,
    ReferenceParams, RenameParams, SymbolKind as Sign, TextDocumentPositionParams, TextEdit, Uri,
    WorkspaceEdit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use strowger_flow::Diagnostic;
use strowger_flow::diagnostic::Language;
use strowger_flow::editor::{MAX_OFFERS, Offer, OfferKind, Symbol, SymbolKind};
use strowger_flow::expr::Span;
use strowger_flow::fmt::format;

use super::names;
use super::position::Lines;
use super::project::{File, Folder};
use super::wire::{INVALID_PARAMS, REQUEST_FAILED};
use super::workspace::{Workspace, told};

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub code: i32,
    pub why: String,
}

impl Refusal {
    /// The question was understood, and cannot be fulfilled.
    pub fn failed(why: impl Into<String>) -> Refusal {
        Refusal {
            code: REQUEST_FAILED,
            why: why.into(),
        }
    }
}

/// A question's place: the project, the file, the byte.
pub(super) struct Asked<'w> {
    pub folder: &'w Folder,
    pub file: &'w File,
    pub lines: Lines<'w>,
    pub at: usize,
}

/// Answers a request; `None` when nobody knows the method.
pub(super) fn answer(
    workspace: &Workspace,
    method: &str,
    params: Value,
) -> Option<Result<Value, Refusal>> {
    Some(match method {
        "textDocument/completion" => ask(params, |params: CompletionParams| {
            let asked = place(workspace, &params.text_document_position)?;
            Ok(asked.map(|asked| complete(&asked)))
        }),
        "textDocument/hover" => ask(params, |params: HoverParams| {
            let asked = place(workspace, &params.text_document_position_params)?;
            Ok(asked.and_then(|asked| hover(&asked, workspace.language)))
        }),
        "textDocument/definition" => ask(params, |params: GotoDefinitionParams| {
            let asked = place(workspace, &params.text_document_position_params)?;
            Ok(asked.map(|asked| names::definition(&asked)))
        }),
        "textDocument/references" => ask(params, |params: ReferenceParams| {
            let asked = place(workspace, &params.text_document_position)?;
            let whole = params.context.include_declaration;
            Ok(asked.map(|asked| names::references(&asked, whole)))
        }),
        "textDocument/prepareRename" => ask(params, |params: TextDocumentPositionParams| {
            match place(workspace, &params)? {
                Some(asked) => names::prepare_rename(&asked).map(Some),
                None => Ok(None),
            }
        }),
        "textDocument/rename" => ask(params, |params: RenameParams| {
            match place(workspace, &params.text_document_position)? {
                Some(asked) => names::rename(&asked, &params.new_name).map(Some),
                None => Ok(None),
            }
        }),
        "textDocument/documentSymbol" => ask(params, |params: DocumentSymbolParams| {
            let found = workspace.find(&params.text_document.uri);
            Ok(found.map(|(_, file)| outline(file)))
        }),
        "textDocument/codeAction" => ask(params, |params: CodeActionParams| {
            let found = workspace.find(&params.text_document.uri);
            Ok(found.map(|(_, file)| actions(file, &params, workspace.language)))
        }),
        "textDocument/formatting" => ask(params, |params: DocumentFormattingParams| {
            let found = workspace.find(&params.text_document.uri);
            found.map(|(_, file)| layout(file)).transpose()
        }),
        _ => return None,
    })
}

fn ask<P: DeserializeOwned, R: Serialize>(
    params: Value,
    answer: impl FnOnce(P) -> Result<Option<R>, Refusal>,
) -> Result<Value, Refusal> {
    let params = serde_json::from_value(params).map_err(|error| Refusal {
        code: INVALID_PARAMS,
        why: error.to_string(),
    })?;
    let result = answer(params)?;
    serde_json::to_value(result).map_err(|error| Refusal::failed(error.to_string()))
}

/// The place of a question; `None` for a file that is no flow or not open.
fn place<'w>(
    workspace: &'w Workspace,
    params: &TextDocumentPositionParams,
) -> Result<Option<Asked<'w>>, Refusal> {
    let Some((folder, file)) = workspace.find(&params.text_document.uri) else {
        return Ok(None);
    };
    let lines = Lines::new(file.sheet.source());
    let at = lines.byte(params.position);
    Ok(Some(Asked {
        folder,
        file,
        lines,
        at,
    }))
}

fn complete(asked: &Asked<'_>) -> CompletionList {
    let offers = asked.file.sheet.complete(asked.at, &asked.folder.catalog);
    let is_incomplete = offers.len() > MAX_OFFERS;
    let items = offers.into_iter().take(MAX_OFFERS).enumerate();
    CompletionList {
        is_incomplete,
        items: items
            .map(|(index, offer)| item(index, offer, &asked.lines))
            .collect(),
    }
}

fn item(index: usize, offer: Offer, lines: &Lines<'_>) -> CompletionItem {
    let kind = match offer.kind {
        OfferKind::Step => CompletionItemKind::FUNCTION,
        OfferKind::Key => CompletionItemKind::PROPERTY,
        OfferKind::Outcome => CompletionItemKind::ENUM_MEMBER,
        OfferKind::Target => CompletionItemKind::REFERENCE,
        OfferKind::Prompt => CompletionItemKind::CONSTANT,
        OfferKind::Flow => CompletionItemKind::MODULE,
        OfferKind::Variable => CompletionItemKind::VARIABLE,
        OfferKind::Filter => CompletionItemKind::METHOD,
        OfferKind::Word => CompletionItemKind::KEYWORD,
        OfferKind::Name => CompletionItemKind::VALUE,
        OfferKind::File => CompletionItemKind::FILE,
    };
    CompletionItem {
        filter_text: Some(offer.label.clone()),
        label: offer.label,
        kind: Some(kind),
        detail: (!offer.detail.is_empty()).then_some(offer.detail),
        documentation: (!offer.page.is_empty())
            .then(|| Documentation::MarkupContent(markdown(offer.page))),
        // The order is ours: what belongs here comes before what may stand anywhere.
        sort_text: Some(format!("{index:04}")),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit {
            range: lines.range(offer.replaces),
            new_text: offer.insert,
        })),
        ..CompletionItem::default()
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent {
        kind: MarkupKind::Markdown,
        value,
    }
}

fn hover(asked: &Asked<'_>, language: Language) -> Option<Hover> {
    let (file, catalog) = (asked.file, &asked.folder.catalog);
    let hover = file
        .sheet
        .hover_with(&file.findings, asked.at, catalog, language)?;
    Some(Hover {
        range: Some(asked.lines.range(hover.span)),
        contents: HoverContents::Markup(markdown(hover.page)),
    })
}

fn outline(file: &File) -> Vec<DocumentSymbol> {
    let lines = Lines::new(file.sheet.source());
    let symbols = file.sheet.outline();
    symbols
        .into_iter()
        .map(|entry| symbol(entry, &lines))
        .collect()
}

// `deprecated` is a field of the protocol that must be filled in.
#[allow(deprecated)]
fn symbol(entry: Symbol, lines: &Lines<'_>) -> DocumentSymbol {
    DocumentSymbol {
        name: entry.name,
        detail: (!entry.detail.is_empty()).then_some(entry.detail),
        kind: match entry.kind {
            SymbolKind::Section => Sign::NAMESPACE,
            SymbolKind::Step => Sign::FUNCTION,
            SymbolKind::Prompt => Sign::STRING,
            SymbolKind::Variable => Sign::VARIABLE,
            SymbolKind::Hours => Sign::EVENT,
            SymbolKind::Test => Sign::METHOD,
        },
        tags: None,
        deprecated: None,
        range: lines.range(entry.span),
        selection_range: lines.range(entry.name_span),
        children: (!entry.children.is_empty()).then(|| {
            let children = entry.children.into_iter();
            children.map(|entry| symbol(entry, lines)).collect()
        }),
    }
}

/// The change that lays the file out, as `strowger fmt` does: the lines between what stays above and below.
/// The designer's own options of tabs and blanks do not count, since a flow has one layout.
fn layout(file: &File) -> Result<Vec<TextEdit>, Refusal> {
    let old = file.sheet.source();
    let new = format(file.uri.as_str(), old.as_bytes())
        .map_err(|refused| Refusal::failed(refused.to_string()))?;
    let alike = |(one, other): &(&str, &str)| one == other;
    let above: usize = old
        .split_inclusive('\n')
        .zip(new.split_inclusive('\n'))
        .take_while(alike)
        .map(|(line, _)| line.len())
        .sum();
    let below: usize = old[above..]
        .split_inclusive('\n')
        .rev()
        .zip(new[above..].split_inclusive('\n').rev())
        .take_while(alike)
        .map(|(line, _)| line.len())
        .sum();
    if above == old.len() && above == new.len() {
        return Ok(Vec::new());
    }
    let span = Span {
        start: above,
        end: old.len() - below,
    };
    Ok(vec![TextEdit {
        range: Lines::new(old).range(span),
        new_text: new[above..new.len() - below].to_owned(),
    }])
}

/// The certain fixes of the findings in a range.
fn actions(file: &File, params: &CodeActionParams, language: Language) -> CodeActionResponse {
    let wanted = params.context.only.as_ref().is_none_or(|kinds| {
        kinds
            .iter()
            .any(|kind| CodeActionKind::QUICKFIX.as_str().starts_with(kind.as_str()))
    });
    if !wanted {
        return Vec::new();
    }
    let lines = Lines::new(file.sheet.source());
    let span = lines.span(params.range);
    file.findings
        .iter()
        .filter(|finding| {
            let at = finding.primary.span;
            at.start <= span.end && span.start <= at.end
        })
        .filter_map(|finding| action(finding, file, &lines, language))
        .collect()
}

// The protocol's type keys changes by URI; `lsp_types::Uri` compares by its text.
#[allow(clippy::mutable_key_type)]
fn action(
    finding: &Diagnostic,
    file: &File,
    lines: &Lines<'_>,
    language: Language,
) -> Option<CodeActionOrCommand> {
    let fix = finding.fix.as_ref()?;
    let title = match (&finding.help, language) {
        (Some(help), _) => help.in_language(language).to_owned(),
        (None, Language::English) => format!("write `{}`", fix.replacement.trim()),
        (None, Language::Chinese) => format!("改为 `{}`", fix.replacement.trim()),
    };
    let edit = TextEdit {
        range: lines.range(fix.span),
        new_text: fix.replacement.clone(),
    };
    let changes: HashMap<Uri, Vec<TextEdit>> = HashMap::from([(file.uri.clone(), vec![edit])]);
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![told(finding, &file.uri, lines, language)]),
        edit: Some(WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }),
        is_preferred: Some(true),
        ..CodeAction::default()
    }))
}
