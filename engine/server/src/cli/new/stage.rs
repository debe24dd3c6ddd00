//! A folder that appears with all its files, or not at all.

use std::path::{Path, PathBuf};

use super::Failure;

/// A project in the making: beside the folder that it is to be, or in it where that exists already. What was not put in
/// place is removed.
pub(super) struct Stage {
    target: PathBuf,
    folder: PathBuf,
    inside: bool,
}

impl Stage {
    /// Begins one for a folder that is not there, or in which nothing is but what git keeps.
    pub(super) fn for_folder(target: &Path) -> Result<Stage, Failure> {
        let shown = target.display();
        let inside = match std::fs::symlink_metadata(target) {
            Ok(_) if target.is_dir() => true,
            Ok(_) => {
                return Err(Failure::cannot(format!(
                    "{shown} is no folder; choose another name for the project's folder"
                )));
            }
            Err(_) => false,
        };
        if inside {
            empty(target)?;
        }
        let mark = format!(".strowger-new-{}", std::process::id());
        let around = match target.parent() {
            _ if inside => target,
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !around.is_dir() {
            return Err(Failure::cannot(format!(
                "there is no folder {0} to make {shown} in; make it first: mkdir -p {0}",
                around.display()
            )));
        }
        let folder = around.join(mark);
        std::fs::create_dir(&folder).map_err(|e| {
            Failure::cannot(format!("cannot make a folder in {}: {e}", around.display()))
        })?;
        Ok(Stage {
            target: target.to_owned(),
            folder,
            inside,
        })
    }

    /// Where the files are for now.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        std::fs::write(self.folder.join(path), text)
            .map_err(|e| self.failed(&format!("cannot write {path}: {e}")))
    }

    /// Puts everything in place; gives the files.
    pub(super) fn place(self) -> Result<Vec<PathBuf>, Failure> {
        let names = names(&self.folder)?;
        if !self.inside {
            std::fs::rename(&self.folder, &self.target).map_err(|e| self.failed(&e.to_string()))?;
        }
        let mut placed: Vec<PathBuf> = Vec::new();
        for name in &names {
            let target = self.target.join(name);
            if self.inside {
                // Looked at again: a rename takes the place of what is there.
                let moved = match target.symlink_metadata().is_ok() {
                    true => Err("somebody else has written it meanwhile".to_owned()),
                    false => {
                        std::fs::rename(self.folder.join(name), &target).map_err(|e| e.to_string())
                    }
                };
                if let Err(why) = moved {
                    for done in &placed {
                        let _ = remove(done);
                    }
                    return Err(self.failed(&format!("cannot write {}: {why}", target.display())));
                }
            }
            placed.push(target);
        }
        Ok(placed)
    }

    fn failed(&self, why: &str) -> Failure {
        Failure::cannot(format!(
            "cannot make {}: {why}; nothing is left behind",
            self.target.display()
        ))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}

/// Says what to do where a folder has something in it.
fn empty(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    let names = names(folder)?;
    match names.iter().find(|name| *name != ".git") {
        None => Ok(()),
        Some(_) if folder.join("strowger.toml").exists() => Err(Failure::cannot(format!(
            "{shown} is a project already; `strowger new --flow NAME -p {shown}` adds a flow to it"
        ))),
        Some(name) => Err(Failure::cannot(format!(
            "{shown} is not empty: {} is in it; name a folder that is not there yet",
            Path::new(name).display()
        ))),
    }
}

/// What is in a folder, in order.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, Failure> {
    let unreadable =
        |e: std::io::Error| Failure::cannot(format!("cannot list {}: {e}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name());
    }
    names.sort();
    Ok(names)
}
