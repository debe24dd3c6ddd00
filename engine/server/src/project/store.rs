//! `[store]` of `strowger.toml`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};

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
    /// How long what leaves the house waits for a store that is gone, in seconds, 0 to 60; default 5. Then its step is told
    /// that it could not be done.
    pub wait_s: Option<u32>,
    /// Most compiled code of plugins in `compiled/` of the data folder, in MiB, 64 to 1048576; default 4096. Beyond it goes
    /// what was loaded the longest ago and is not loaded now, to be compiled anew when it is wanted.
    pub compiled_mb: Option<u32>,
}

/// Longest wait for a store that is gone, in seconds: nobody stays on the line for longer.
const MOST_WAIT_S: u32 = 60;
/// Least and most of `compiled_mb`: one interpreter's code takes some 60 MiB.
const COMPILED_MB: std::ops::RangeInclusive<u32> = 64..=1 << 20;
/// The wait where nothing is set, in seconds.
const WAIT_S: u32 = 5;

impl StoreSection {
    /// How long what leaves the house waits for a store that is gone.
    pub fn wait(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.wait_s.unwrap_or(WAIT_S).into())
    }

    /// Most bytes of compiled code, where that is set.
    pub(crate) fn compiled_bytes(&self) -> Option<u64> {
        self.compiled_mb.map(|mb| u64::from(mb) << 20)
    }

    /// What is wrong, the key at which that stands, and what to do.
    pub(super) fn fault(&self) -> Option<(&'static str, Text, Text)> {
        if let Some(seconds) = self.wait_s.filter(|seconds| *seconds > MOST_WAIT_S) {
            return Some((
                "wait_s",
                text!(
                    "store.wait_s is 0 to {MOST_WAIT_S}, and {seconds} was given",
                    "`store.wait_s` 为 0 到 {MOST_WAIT_S}，而写的是 {seconds}"
                ),
                text!(
                    "whoever is on the line waits so long; the default is {WAIT_S}",
                    "线上的人要等这么久；默认为 {WAIT_S}"
                ),
            ));
        }
        if let Some(mb) = self.compiled_mb.filter(|mb| !COMPILED_MB.contains(mb)) {
            let (least, most) = COMPILED_MB.into_inner();
            return Some((
                "compiled_mb",
                text!(
                    "store.compiled_mb is {least} to {most}, and {mb} was given",
                    "`store.compiled_mb` 为 {least} 到 {most}，而写的是 {mb}"
                ),
                Text::fixed("leave it out for the default, 4096", "不写则为默认的 4096"),
            ));
        }
        Some(match (&self.url, &self.url_file, self.max_mb) {
            (Some(url), _, _) if has_password(url) => (
                "url",
                Text::fixed(
                    "store.url has a password, and whoever works on the project reads this file",
                    "`store.url` 里有密码，而做这个项目的人都会读到此文件",
                ),
                Text::fixed(
                    "in a file: store.url_file names one with the whole URL; or use the variable STROWGER_STORE_URL, or \
                     PostgreSQL's own ~/.pgpass",
                    "放进文件：用 `store.url_file` 指明含完整 URL 的文件；或用环境变量 `STROWGER_STORE_URL`，或 PostgreSQL 自己的 `~/.pgpass`",
                ),
            ),
            (Some(_), Some(_), _) => (
                "url_file",
                Text::fixed(
                    "store.url and store.url_file are both there: which of them is it?",
                    "`store.url` 和 `store.url_file` 都写了：用哪一个？",
                ),
                Text::fixed("remove one of the two", "去掉其中一个"),
            ),
            (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => (
                "max_mb",
                Text::fixed(
                    "store.max_mb is for the file strowger.db, and the store is a database elsewhere",
                    "`store.max_mb` 只用于文件 `strowger.db`，而存储在别处的数据库里",
                ),
                Text::fixed("remove it", "去掉它"),
            ),
            (_, _, Some(0)) => (
                "max_mb",
                Text::fixed("store.max_mb is 1 or more", "`store.max_mb` 至少为 1"),
                Text::fixed(
                    "leave it out for no limit but the disk's",
                    "不写就只受磁盘限制",
                ),
            ),
            (Some(url), _, _) => {
                let why = place_options(url).err()?;
                (
                    "url",
                    text!("store.url {why}", "`store.url` 不能用：“{why}”"),
                    Text::fixed(
                        "such as postgres://strowger@localhost/strowger?sslmode=verify-full",
                        "例如 `postgres://strowger@localhost/strowger?sslmode=verify-full`",
                    ),
                )
            }
            _ => return None,
        })
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
