//! Names across the files of a project: where they are defined, used, and changed.

use std::collections::HashMap;
use std::path::Path;

use lsp_types::{Location, PrepareRenameResponse, Range, TextEdit, Uri, WorkspaceEdit};
use strowger_flow::editor::{Kind, Mention, keys_below, name_fault};

use super::answers::{Asked, Refusal};
use super::position::Lines;
use super::project::{File, Folder};
use super::workspace::{PROJECT_FILE, uri_of};
use crate::project::bytes::read_text;

/// A name, and the flow that it belongs to.
struct Name<'f> {
    kind: Kind,
    name: String,
    /// The file that defines it; `None` for what belongs to the whole project.
    home: Option<&'f File>,
}

/// Where a name at a place is defined.
pub(super) fn definition(asked: &Asked<'_>) -> Vec<Location> {
    let Some(mention) = at(asked) else {
        return Vec::new();
    };
    let folder = asked.folder;
    let root = folder.path.as_deref();
    match mention.kind {
        Kind::Queue => in_file(root, "queues.yaml", &["queues"], &mention.name),
        Kind::Supplier => in_file(root, "queues.yaml", &["suppliers"], &mention.name),
        Kind::Plugin => plugin(root, &mention.name),
        Kind::Audio => root
            .map(|root| root.join(&mention.name))
            .filter(|path| path.is_file())
            .and_then(|path| uri_of(&path))
            .map(|uri| Location {
                uri,
                range: Range::default(),
            })
            .into_iter()
            .collect(),
        Kind::Flow => {
            let file = flow(folder, &mention.name);
            file.map_or(Vec::new(), |file| {
                places(file, folder, |found| {
                    found.defines && found.kind == Kind::Flow
                })
            })
        }
        _ => {
            let name = named(asked, mention);
            name.home.map_or(Vec::new(), |home| {
                places(home, folder, |found| {
                    found.defines && same(found, &name, None)
                })
            })
        }
    }
}

/// Every place at which the name at a place stands.
pub(super) fn references(asked: &Asked<'_>, whole: bool) -> Vec<Location> {
    let Some(mention) = at(asked) else {
        return Vec::new();
    };
    let name = named(asked, mention);
    let mut found = Vec::new();
    for_each_file(asked.folder, &name, |file, flow| {
        found.extend(places(file, asked.folder, |mention| {
            (whole || !mention.defines) && same(mention, &name, flow)
        }));
    });
    found
}

/// What would be renamed at a place.
pub(super) fn prepare_rename(asked: &Asked<'_>) -> Result<PrepareRenameResponse, Refusal> {
    let mention = at(asked).ok_or_else(|| Refusal::failed("there is no name here"))?;
    let (span, placeholder) = (mention.span, mention.name.clone());
    renamable(&named(asked, mention))?;
    Ok(PrepareRenameResponse::RangeWithPlaceholder {
        range: asked.lines.range(span),
        placeholder,
    })
}

/// The changes that give the name at a place another one.
// The protocol's type keys changes by URI; `lsp_types::Uri` compares by its text.
#[allow(clippy::mutable_key_type)]
pub(super) fn rename(asked: &Asked<'_>, new: &str) -> Result<WorkspaceEdit, Refusal> {
    let mention = at(asked).ok_or_else(|| Refusal::failed("there is no name here"))?;
    let name = named(asked, mention);
    let home = renamable(&name)?;
    if let Some(fault) = name_fault(name.kind, new) {
        return Err(Refusal::failed(format!("`{new}` cannot be used: {fault}")));
    }
    if new != name.name && home.sheet.has(name.kind, new) {
        return Err(Refusal::failed(format!(
            "`{new}` is there already: choose another name, or delete the other one first"
        )));
    }
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    let mut fault = None;
    for_each_file(asked.folder, &name, |file, flow| {
        let lines = Lines::new(file.sheet.source());
        for mention in file.sheet.mentions(&asked.folder.catalog) {
            if !same(&mention, &name, flow) {
                continue;
            }
            if !mention.exact {
                let line = lines.position(mention.span.start).line + 1;
                fault.get_or_insert_with(|| {
                    format!(
                        "{}, line {line}: the text there is written over several lines or with escapes, so the \
                         name in it cannot be changed safely: change it by hand, or write the text in one line",
                        file.uri.as_str()
                    )
                });
                continue;
            }
            changes.entry(file.uri.clone()).or_default().push(TextEdit {
                range: lines.range(mention.span),
                new_text: new.to_owned(),
            });
        }
    });
    if let Some(edit) = entry(home, &name, new) {
        changes.entry(home.uri.clone()).or_default().push(edit);
    }
    match fault {
        Some(fault) => Err(Refusal::failed(fault)),
        None => Ok(WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }),
    }
}

/// Where the step called `start` has another name, the flow says with which step it begins.
fn entry(home: &File, name: &Name<'_>, new: &str) -> Option<TextEdit> {
    const START: &str = "start";
    if name.kind != Kind::Step || name.name != START || new == START {
        return None;
    }
    let source = home.sheet.source();
    let keys = keys_below(source, &[]);
    if keys.iter().any(|(key, _)| key == START) {
        return None;
    }
    let (_, steps) = keys.into_iter().find(|(key, _)| key == "steps")?;
    let at = Lines::new(source).position(steps.start);
    let between = if at.character == 0 { "\n" } else { ", " };
    Some(TextEdit {
        range: Range::new(at, at),
        new_text: format!("{START}: {new}{between}"),
    })
}

fn at(asked: &Asked<'_>) -> Option<Mention> {
    let sheet = &asked.file.sheet;
    sheet.mention_at(asked.at, &asked.folder.catalog)
}

/// Whose name it is.
fn named<'f>(asked: &Asked<'f>, mention: Mention) -> Name<'f> {
    let home = match (&mention.flow, mention.kind) {
        (Some(other), _) => flow(asked.folder, other),
        (None, Kind::Flow | Kind::Queue | Kind::Supplier | Kind::Plugin | Kind::Audio) => None,
        (None, _) => Some(asked.file),
    };
    Name {
        // An input is a variable of the flow that has it.
        kind: match mention.kind {
            Kind::Input => Kind::Variable,
            kind => kind,
        },
        name: mention.name,
        home,
    }
}

fn renamable<'f>(name: &Name<'f>) -> Result<&'f File, Refusal> {
    let other = match name.kind {
        Kind::Flow => {
            "a flow: routes.yaml and the reports know its name; change it there and in `flow:`"
        }
        Kind::Queue | Kind::Supplier => {
            "what stands in queues.yaml: change it there and in the flows"
        }
        Kind::Plugin => "a plugin's step: its name is in the component",
        Kind::Audio => "a file: rename it in the folder and in the flows",
        _ => match name.home {
            Some(home) if home.sheet.has(name.kind, &name.name) => return Ok(home),
            Some(_) => "what is not defined in this project",
            None => "what belongs to a flow that is not there",
        },
    };
    Err(Refusal::failed(format!("rename does not change {other}")))
}

/// Whether a mention is of a name. `flow` is the flow of the name, when the mention is in another file.
fn same(mention: &Mention, name: &Name<'_>, flow: Option<&str>) -> bool {
    if mention.name != name.name {
        return false;
    }
    match (flow, &mention.flow) {
        (Some(flow), Some(of)) => {
            let input = name.kind == Kind::Variable && mention.kind == Kind::Input;
            of == flow && (input || mention.kind == name.kind)
        }
        (None, None) => mention.kind == name.kind,
        _ => false,
    }
}

/// The files in which a name may stand, each with the flow of the name unless it is that file's own.
fn for_each_file<'f>(
    folder: &'f Folder,
    name: &Name<'f>,
    mut each: impl FnMut(&'f File, Option<&str>),
) {
    let Some(home) = name.home else {
        folder.files.values().for_each(|file| each(file, None));
        return;
    };
    each(home, None);
    let outside = match name.kind {
        Kind::Variable => home.sheet.is_input(&name.name),
        Kind::Outcome => home.sheet.is_outcome(&name.name),
        _ => false,
    };
    if let Some(flow) = home.sheet.flow().filter(|_| outside) {
        for file in folder.files.values() {
            if !std::ptr::eq(file, home) {
                each(file, Some(flow));
            }
        }
    }
}

fn places(file: &File, folder: &Folder, mut wanted: impl FnMut(&Mention) -> bool) -> Vec<Location> {
    let lines = Lines::new(file.sheet.source());
    let mentions = file.sheet.mentions(&folder.catalog);
    mentions
        .iter()
        .filter(|mention| wanted(mention))
        .map(|mention| Location {
            uri: file.uri.clone(),
            range: lines.range(mention.span),
        })
        .collect()
}

fn flow<'f>(folder: &'f Folder, name: &str) -> Option<&'f File> {
    let mut files = folder.files.values();
    files.find(|file| file.sheet.flow() == Some(name))
}

/// A key of a YAML file beside the flows.
fn in_file(root: Option<&Path>, file: &str, path: &[&str], name: &str) -> Vec<Location> {
    let found = root.map(|root| root.join(file)).and_then(|file| {
        let text = read_text(&file).ok()?;
        let (_, span) = keys_below(&text, path)
            .into_iter()
            .find(|(key, _)| key == name)?;
        Some(Location {
            uri: uri_of(&file)?,
            range: Lines::new(&text).range(span),
        })
    });
    found.into_iter().collect()
}

/// The table of a plugin in `strowger.toml`; the standard steps have none.
fn plugin(root: Option<&Path>, step: &str) -> Vec<Location> {
    let found = root.and_then(|root| {
        let file = root.join(PROJECT_FILE);
        let text = read_text(&file).ok()?;
        let table = format!("[plugins.{}]", step.split('/').next()?);
        let start = text.find(&table)?;
        let span = strowger_flow::expr::Span {
            start,
            end: start + table.len(),
        };
        Some(Location {
            uri: uri_of(&file)?,
            range: Lines::new(&text).range(span),
        })
    });
    found.into_iter().collect()
}
