//! `[store]` of `strowger.toml`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::store::{has_password, place_options};

/// `[store]`. The variable `STROWGER_STORE_URL` goes before `url` and `url_file`. With none of the three it is
/// `strowger.db` in the data folder.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    /// A PostgreSQL database, `postgres://USER@HOST:PORT/DATABASE`, without a password.
    pub url: Option<String>,
    /// A file with such a URL, which may have a password; its path begins at the project's folder.
    pub url_file: Option<PathBuf>,
    /// Largest size of `strowger.db`, in MiB: a full one is as a full disk. Default none.
    pub max_mb: Option<u32>,
}

impl StoreSection {
    /// What is wrong, the key at which that stands, and what to do.
    pub(super) fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        let help = "in a file: store.url_file names one with the whole URL; or use the variable STROWGER_STORE_URL, or \
                    PostgreSQL's own ~/.pgpass";
        match (&self.url, &self.url_file, self.max_mb) {
            (Some(url), _, _) if has_password(url) => {
                let message =
                    "store.url has a password, and whoever works on the project reads this file";
                Some(("url", message.into(), help))
            }
            (Some(_), Some(_), _) => {
                let message = "store.url and store.url_file are both there: which of them is it?";
                Some(("url_file", message.into(), "remove one of the two"))
            }
            (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                let message = "store.max_mb is for the file strowger.db, and the store is a database elsewhere";
                Some(("max_mb", message.into(), "remove it"))
            }
            (_, _, Some(0)) => {
                let help = "leave it out for no limit but the disk's";
                Some(("max_mb", "store.max_mb is 1 or more".into(), help))
            }
            (Some(url), _, _) => {
                let why = place_options(url).err()?;
                let help = "such as postgres://strowger@localhost/strowger?sslmode=verify-full";
                Some(("url", format!("store.url {why}"), help))
            }
            _ => None,
        }
    }
}

/// A text with the passwords of PostgreSQL's URLs crossed out, as long as it was.
pub(super) fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .unwrap_or(after.len());
        let (url, further) = after.split_at(end);
        match url
            .rsplit_once('@')
            .and_then(|(who, host)| Some((who.split_once(':')?, host)))
        {
            Some(((user, password), host))
                if before.ends_with("postgres") || before.ends_with("postgresql") =>
            {
                let crossed = "*".repeat(password.len());
                shown.push_str(&format!("{user}:{crossed}@{host}"));
            }
            _ => shown.push_str(url),
        }
        rest = further;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn passwords_are_crossed_out_and_nothing_moves() {
        for (text, shown) in [
            (
                "url = \"postgres://u:pass@h/d\"\n",
                "url = \"postgres://u:****@h/d\"\n",
            ),
            ("'postgresql://u:p/a@s@h' x", "'postgresql://u:*****@h' x"),
            (
                "postgres://u@h postgres://v:q@h",
                "postgres://u@h postgres://v:*@h",
            ),
            (
                "postgres://h/d and https://u:pass@h",
                "postgres://h/d and https://u:pass@h",
            ),
            ("no address", "no address"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }
}
