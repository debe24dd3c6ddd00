//! What contacts are replayed on: a folder, or a revision that a tenant pushed.

use std::path::{Path, PathBuf};

use strowger_plugin::Limits;

use super::super::{CANNOT, Failure, store_of};
use crate::centre::stored::{NotStored, Which, find, lay_out};
use crate::centre::{Tenants, is_centre};
use crate::replay::{Overrides, Recording, Stage};
use crate::runtime::OpenError;
use crate::store::Store;

/// What `--on` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum On {
    /// A project's folder.
    Folder(PathBuf),
    /// A revision of the contacts' tenant.
    Stored(Which),
}

/// Reads `--on`: a number and `draft` are revisions, all else is a folder.
pub(super) fn on(text: &str) -> Result<On, String> {
    if text == "draft" {
        return Ok(On::Stored(Which::Draft));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return match text.parse() {
            Ok(number) if number > 0 => Ok(On::Stored(Which::Number(number))),
            _ => Err("revisions count from 1; a folder of this name is written ./NAME".to_owned()),
        };
    }
    Ok(On::Folder(PathBuf::from(text)))
}

/// Whose contacts, and where they and their revisions are.
pub(super) struct Whose<'a> {
    /// The project's or the centre's folder.
    pub project: &'a Path,
    /// Where data lies.
    pub data: &'a Path,
    /// The tenant, where it is known.
    pub tenant: Option<&'a str>,
    /// SHA-256 of what the one contact walked; none for many.
    pub content: Option<&'a str>,
}

impl<'a> Whose<'a> {
    /// Of one recorded contact.
    pub fn of(recording: &'a Recording, project: &'a Path, data: &'a Path) -> Whose<'a> {
        Whose {
            project,
            data,
            tenant: recording.tenant.as_deref(),
            content: recording.content(),
        }
    }

    /// The project, or in a centre the tenant's revision, that the contact walked.
    pub async fn walked(&self) -> Result<Ground, Failure> {
        let store = match self.tenant {
            Some(_) => {
                let place = store_of(self.project, self.data)?;
                Some(Store::look(&place).await.map_err(Failure::cannot)?)
            }
            None => None,
        };
        Ground::find(None, self, store.as_ref()).await
    }
}

/// What contacts are replayed on.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Ground {
    Folder(PathBuf),
    Revision {
        tenant: String,
        number: u64,
        folder: PathBuf,
    },
}

impl Ground {
    /// Finds it. Without `--on` that is the project, or in a centre what the one contact walked, or what is live.
    pub(super) async fn find(
        on: Option<&On>,
        whose: &Whose<'_>,
        store: Option<&Store>,
    ) -> Result<Ground, Failure> {
        let which = match on {
            Some(On::Folder(folder)) => return Ok(Ground::Folder(folder.clone())),
            Some(On::Stored(which)) => which.clone(),
            None if is_centre(whose.project) || whose.is_data_alone() => match whose.content {
                Some(content) => Which::Content(content.to_owned()),
                None => Which::Live,
            },
            None => return Ok(Ground::Folder(whose.project.to_owned())),
        };
        let Some(tenant) = whose.tenant else {
            if whose.is_folder() {
                return Err(whose.no_revisions());
            }
            return Err(Failure::cannot(format!(
                "a revision is a tenant's: say whose with --tenant{}{}",
                whose.known(),
                match on {
                    Some(On::Stored(Which::Draft)) => "; a folder named draft is written ./draft",
                    _ => "",
                }
            )));
        };
        let Some(store) = store else {
            return Err(Failure::cannot(
                "revisions are in the store of a centre: name its folder with --project, or its data with --data",
            ));
        };
        let revision = match find(store, tenant, &which).await {
            Err(NotStored::Nothing(_)) if whose.is_folder() => return Err(whose.no_revisions()),
            found => found.map_err(Failure::cannot)?,
        };
        let folder = lay_out(store, whose.data, tenant, &revision);
        Ok(Ground::Revision {
            tenant: tenant.to_owned(),
            number: revision.number,
            folder: folder.await.map_err(Failure::cannot)?,
        })
    }

    /// Reads and compiles it.
    pub(super) async fn stage(
        &self,
        whose: &Whose<'_>,
        overrides: &Overrides,
    ) -> Result<Stage, Failure> {
        let opened = match self {
            Ground::Folder(folder) => {
                let stage = Stage::open(folder, whose.data, overrides).await;
                match whose.is_folder() && folder != whose.project {
                    true => stage.and_then(|stage| stage.after(whose.project)),
                    false => stage,
                }
            }
            Ground::Revision { tenant, folder, .. } => {
                let limits = whose.limits(tenant)?;
                Stage::open_revision(folder, whose.data, overrides, limits).await
            }
        };
        // Errors in what they are replayed on keep contacts from being replayed: that is no difference of theirs.
        opened.map_err(|error: OpenError| match error {
            OpenError::Errors(findings) | OpenError::Files(findings) => {
                let with = match overrides.is_empty() {
                    true => "what contacts would be replayed on has errors".to_owned(),
                    false => {
                        let given = overrides.iter();
                        let given: Vec<_> = given
                            .map(|(name, file)| format!("--plugin {name}={}", file.display()))
                            .collect();
                        let given = given.join(" ");
                        format!("what contacts would be replayed on has errors with {given}")
                    }
                };
                Failure::cannot(format!("{findings}\n{with}: nothing was replayed"))
            }
            error => Failure {
                code: CANNOT,
                ..Failure::from(error)
            },
        })
    }

    /// Where its files are.
    pub(in super::super) fn folder(&self) -> &Path {
        match self {
            Ground::Folder(folder) | Ground::Revision { folder, .. } => folder,
        }
    }

    /// Which revision of whose it is, for people; none of a folder.
    pub(in super::super) fn told(&self) -> Option<String> {
        match self {
            Ground::Folder(_) => None,
            Ground::Revision { tenant, number, .. } => {
                Some(format!("revision {number} of {tenant}"))
            }
        }
    }

    /// The revision's number.
    pub(super) fn revision(&self) -> Option<u64> {
        match self {
            Ground::Folder(_) => None,
            Ground::Revision { number, .. } => Some(*number),
        }
    }
}

impl Whose<'_> {
    /// Whether there is data of a tenant, and no project that it could be of.
    fn is_data_alone(&self) -> bool {
        self.tenant.is_some() && !self.project.join("strowger.toml").exists()
    }

    /// Whether it is a project that is served from its folder.
    fn is_folder(&self) -> bool {
        !is_centre(self.project) && self.project.join("strowger.toml").exists()
    }

    /// What to do instead.
    fn no_revisions(&self) -> Failure {
        Failure::cannot(format!(
            "{0} is served from its folder, which has no revisions: copy the folder, change the copy, and name it, as in \
             --on ../draft (a folder named draft or by a number is written ./NAME); without --on contacts are replayed on \
             {0} as it is now",
            self.project.display()
        ))
    }

    /// The limits of a tenant's steps: as its file in the centre says, else those that every step has.
    fn limits(&self, tenant: &str) -> Result<Limits, Failure> {
        if !is_centre(self.project) {
            return Ok(Limits::default());
        }
        let tenants = Tenants::read(self.project)
            .map_err(Failure::cannot)?
            .tenants;
        let config = tenants.get(tenant);
        Ok(config.map_or_else(Limits::default, |config| config.limits.step.clone()))
    }

    /// The tenants to choose from, where a centre's folder says so.
    fn known(&self) -> String {
        let Ok(read) = Tenants::read(self.project) else {
            return String::new();
        };
        let names: Vec<String> = read.tenants.into_keys().collect();
        format!(" ({})", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_draft_are_revisions_and_all_else_is_a_folder() {
        assert_eq!(on("draft"), Ok(On::Stored(Which::Draft)));
        assert_eq!(on("12"), Ok(On::Stored(Which::Number(12))));
        for folder in ["./draft", "../draft", "12a", "-1", "1.2"] {
            assert_eq!(on(folder), Ok(On::Folder(PathBuf::from(folder))));
        }
        for wrong in ["0", "99999999999999999999"] {
            assert!(on(wrong).is_err(), "{wrong}");
        }
    }
}
