//! Where a store is: a file in the data folder, or a PostgreSQL database.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::StoreError;
use crate::project::StoreSection;

/// The whole URL of the database; goes before what `strowger.toml` says.
pub const URL_VARIABLE: &str = "STROWGER_STORE_URL";

/// Largest file that `store.url_file` names, in bytes: a URL is a line.
const MAX_URL_FILE: u64 = 4 << 10;

/// Parameters that a URL may have. One that the driver does not know would be passed over, and its value logged.
const PARAMETERS: [&str; 8] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "port",
    "user",
    "dbname",
];

/// Where a store is. Shows no password.
#[derive(Clone)]
pub enum Place {
    /// SQLite: `strowger.db` in the data folder.
    File {
        /// The data folder.
        folder: PathBuf,
        /// Largest size of the file, in MiB; none for as large as the disk allows.
        max_mb: Option<u32>,
    },
    /// PostgreSQL.
    Server {
        /// How it is reached.
        options: Box<PgConnectOptions>,
        /// The data folder, which says which engine this is.
        folder: PathBuf,
    },
}

impl Place {
    /// The file in a data folder.
    pub fn file(folder: &Path) -> Place {
        Place::File {
            folder: folder.to_owned(),
            max_mb: None,
        }
    }

    /// Where the store of a project is: by `STROWGER_STORE_URL`, else by `[store]`, else the file in the data folder.
    pub fn of(section: &StoreSection, project: &Path, data: &Path) -> Result<Place, StoreError> {
        let (url, from) = if let Ok(url) = std::env::var(URL_VARIABLE) {
            (url, URL_VARIABLE.to_owned())
        } else if let Some(url) = &section.url {
            (url.clone(), "store.url".to_owned())
        } else if let Some(file) = &section.url_file {
            let path = project.join(file);
            (
                read(&path)?,
                format!("{}, named by store.url_file,", path.display()),
            )
        } else {
            return Ok(Place::File {
                folder: data.to_owned(),
                max_mb: section.max_mb,
            });
        };
        let options = options(url.trim()).map_err(|why| StoreError::Url { from, why })?;
        Ok(Place::Server {
            options: Box::new(options),
            folder: data.to_owned(),
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File { folder, .. } => write!(f, "{}", folder.join("strowger.db").display()),
            Place::Server { options, .. } => {
                let user = options.get_username();
                let database = options.get_database().unwrap_or(user);
                let port = options.get_port();
                write!(f, "PostgreSQL database {database} at ")?;
                match options.get_socket() {
                    Some(socket) => write!(f, "{}", socket.display())?,
                    None => write!(f, "{}", options.get_host())?,
                }
                write!(f, ":{port}, as user {user}")
            }
        }
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place({self})")
    }
}

/// Reads a URL. What it says of a wrong one holds nothing of it: there may be a password in it.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, String> {
    let form = "write postgres://USER@HOST:PORT/DATABASE";
    let parsed = url::Url::parse(url).map_err(|error| format!("is no URL ({error}); {form}"))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err(format!(
            "begins with `{}:`, and the database is PostgreSQL; {form}",
            parsed.scheme()
        ));
    }
    for (key, _) in parsed.query_pairs() {
        if !PARAMETERS.contains(&&*key) {
            return Err(format!(
                "has the parameter `{key}`, which is none; there are {}",
                PARAMETERS.join(", ")
            ));
        }
    }
    PgConnectOptions::from_str(url)
        .map(|options| options.application_name("strowger"))
        .map_err(|_| format!("has a part that cannot be used; {form}"))
}

/// Whether a URL says the password, where others may read it.
pub(crate) fn has_password(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.password().is_some())
}

fn read(path: &Path) -> Result<String, StoreError> {
    let unreadable = |why: String| StoreError::UrlFile {
        path: path.to_owned(),
        why,
    };
    let size = std::fs::metadata(path)
        .map_err(|e| unreadable(e.to_string()))?
        .len();
    if size > MAX_URL_FILE {
        return Err(unreadable(format!(
            "it has {size} bytes, and a URL at most {MAX_URL_FILE}"
        )));
    }
    std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Place, has_password, options};
    use std::path::PathBuf;

    fn refused(url: &str) -> String {
        options(url).expect_err(url)
    }

    #[test]
    fn a_place_is_shown_without_its_password() {
        for url in [
            "postgres://strowger:top-secret@db.example:5433/calls?sslmode=require",
            "postgresql://strowger:top-secret@db.example:5433/calls",
        ] {
            let place = Place::Server {
                options: Box::new(options(url).expect(url)),
                folder: PathBuf::new(),
            };
            let shown = format!("{place} {place:?}");
            assert!(
                shown.starts_with("PostgreSQL database calls at db.example:5433, as user strowger")
            );
            assert!(!shown.contains("top-secret"), "{shown}");
            assert!(has_password(url));
        }
        assert!(!has_password("postgres://strowger@db.example/calls"));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_it() {
        for (url, word) in [
            ("db.example/calls top-secret", "is no URL"),
            ("mysql://u:top-secret@h/d", "`mysql:`"),
            ("postgres://u:top-secret@h:port/d", "is no URL"),
            ("postgres://u@h/d?pasword=top-secret", "`pasword`"),
            ("postgres://u@h/d?password=top-secret", "`password`"),
            (
                "postgres://u:top-secret@h/d?sslmode=sometimes",
                "cannot be used",
            ),
        ] {
            let told = refused(url);
            assert!(told.contains(word), "{url}: {told}");
            assert!(!told.contains("top-secret"), "{told}");
        }
    }
}
