//! What the operator of a centre says of a tenant: `tenants/NAME.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::unseen::quoted;
use strowger_plugin::Limits;

use crate::effects::{
    Authorities, EffectLimits, HttpLimits, JOURNAL_MB, JOURNAL_MB_RANGE, LogLimits, MEMORY_MIB,
    MEMORY_MIB_RANGE,
};
use crate::media::{RECORDINGS_MB, RECORDINGS_MB_RANGE};
use crate::project::{Grants, RetentionSection, Route, Routes, is_project_name, is_service, key};
use crate::prompts::{
    LibraryLimits, MEMORY_MIB as PROMPTS_MIB, MEMORY_MIB_RANGE as PROMPTS_MIB_RANGE,
};
use crate::store::KvLimits;
use crate::vault::check_name;

/// Folder of the tenants' files, below the centre's.
pub const TENANTS: &str = "tenants";

/// Most characters of a value that the audit log has.
const SAID_CHARS: usize = 500;

/// Bytes of an Ed25519 public key (RFC 8032 §5.1.5).
const PUBLIC_KEY_BYTES: usize = 32;

/// `tenants/NAME.toml`. Every key has a default; an unknown key is an error.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantConfig {
    /// A name for people.
    pub title: Option<String>,
    /// The numbers that are this tenant's, written as in `routes.yaml`: `100`, `4930*`. Which flow each leads to says
    /// the tenant's own `routes.yaml`.
    pub numbers: Vec<String>,
    /// Whether every plugin must be signed by one of the publishers; default no.
    pub signed: bool,
    /// Who may sign plugins: a name, and an Ed25519 public key in base64.
    pub publishers: BTreeMap<String, String>,
    /// What the tenant's plugins may touch at most; each asks for its part in the project's `strowger.toml`.
    pub grants: Grants,
    /// What the tenant may use.
    pub limits: TenantLimits,
    /// How long what is kept of its contacts is kept: of each kind named here, in place of what the centre's `strowger.toml` says.
    pub retention: RetentionSection,
    /// What its file says, a line for each key: `limits.contacts` and `5`. None of it is secret.
    #[serde(skip)]
    pub(super) said: BTreeMap<String, String>,
}

/// What a tenant may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantLimits {
    /// Contacts at once; default 1000. More are refused: 503 for a call.
    ///
    /// One tenant's rush must not take the others' lines.
    pub contacts: usize,
    /// Chats among them; default 500. More are refused: 503.
    ///
    /// Chats are cheap to begin and last long; half of the default of `chat.at_once`, which bounds those of all tenants.
    pub chats: usize,
    /// Part of each pool of instances that its steps may hold at once while there are other tenants, in percent, 1 to
    /// 100; default 50. Beyond it a step waits for one of its own.
    ///
    /// Whoever waits with many steps must leave room for those of others.
    pub instances_percent: u8,
    /// Part of the calls that are placed for bridged transfers, of `transfer.calls` and of `transfer.calls_per_minute`, that its contacts
    /// may have while there are other tenants, in percent, 1 to 100; default 50. More end as `failed`.
    ///
    /// One caller's flow must not take the transfers of all.
    pub transfers_percent: u8,
    /// Linear memory that its steps may hold together at once, with what those were told that can be built again, and with what the
    /// values of its contacts take beyond 16 KiB each. MiB, 16 to 1,048,576; default 2048. Beyond it those of them go that wait and
    /// can be built again, and then a step takes its `error` edge with `step-memory-limit`, and a contact whose values are too much
    /// ends as `error`.
    ///
    /// A thousand steps of 2 MiB. Without it a tenant whose steps take all that one may, in as many contacts as it may have, takes
    /// a machine's memory.
    pub memory_mib: u32,
    /// Ready sound of the prompts of all its revisions in memory: each sound once for PCMU and once for PCMA, however many revisions have it. MiB,
    /// 32 to 65,536; default 128. Beyond it what was not played for longest goes, and is made again when it is said; what is being
    /// played stays, and a prompt for which nothing can go fails.
    ///
    /// About four hours. Many revisions at once must not take a machine's memory.
    pub prompts_mib: u32,
    /// Flows of all its revisions in memory: those that are live, were pushed last or were live before, and that contacts still walk;
    /// a flow that several have in the same words is there once. MiB, 16 to 65,536; default 256. A push or a release beyond it is
    /// refused; so is a push whose flow files are more than a thirty-second of it as text.
    ///
    /// A flow of short steps takes some forty to eighty times its text. Many revisions at once must not take a machine's memory.
    pub flows_mib: u32,
    /// Speech of its texts that is kept on the disk. MiB, 1 to 65,536; default 128. Beyond it what was not used for longest goes.
    ///
    /// About two hours. Each tenant has its own: one whose texts are many leaves others theirs.
    pub speech_mb: u32,
    /// Requests a second of all its tokens and users together; default 200. More are answered 429.
    ///
    /// Twice what one of them may (`http.requests_per_second`): who makes many tokens has no more for it.
    pub requests_per_second: u32,
    /// Requests of all its tokens and users that may come at once after a rest; default 400.
    pub burst: u32,
    /// Tokens that its owners may have made and not revoked, those that have expired included; default 100. The
    /// operator's `strowger token new` is not held to it.
    pub tokens: u32,
    /// Users that its owners may have made; default 100, at most 1000. The operator's `strowger user add` is not held to it.
    pub users: u32,
    /// Pushes in 24 hours; default 200. Those that were examined and refused count as long as the engine runs.
    ///
    /// Each is compiled, before anybody knows whether it is any good.
    pub uploads_per_day: u64,
    /// Processor time of all examples that are run for one push. Milliseconds; default 30,000. A push that needs more is refused.
    ///
    /// A plugin may have thousands of them, each up to `step.cpu_ms`; good ones need a millisecond or, with an interpreter, some
    /// ten.
    pub trial_ms: u64,
    /// Revisions that are kept, the newest; default 100, at least 1. Older ones go with the next push, but those of
    /// the last 24 hours, those of the last 10 releases and those that an open contact walks.
    pub revisions: usize,
    /// What its revisions may take together: each file and component once, and the lists of files. MiB, 1 to 1,048,576; default
    /// 1024. For a push beyond it old revisions go, though they are among those that are kept; what does not fit then is
    /// answered 507.
    ///
    /// What was pushed in the last 24 hours always stays: one tenant's pushes must not fill the store of all.
    pub stored_mb: u32,
    /// What its recordings may take together on the disk: whole calls and messages. MiB, 1 to 16,777,216; default 10240. Beyond it a
    /// recording ends early, and none begins.
    ///
    /// About ninety hours of whole calls. A tenant says itself that its calls are recorded: that must not fill the disk of all.
    pub recordings_mb: u32,
    /// What one contact's journal may come to, as text before it is packed. MiB, 1 to 1024; default 16. Beyond it what a step
    /// is answered is refused with `limit`, and a contact that writes on ends with an error.
    ///
    /// A journal keeps every answer that a step gets: one contact must not fill the store of all.
    pub journal_mb_per_contact: u32,
    /// What is kept of it may take of `store.max_mb` while there are other tenants, in percent, 1 to 100; default 50: journals,
    /// records, SIP messages and rows of all its contacts, keys of its plugins (at most half of it), and its lines of the audit log (at
    /// most an eighth). Beyond it new contacts are refused, nothing large is written into the journals of others, and their records are
    /// short. Without `store.max_mb` there is no such bound.
    ///
    /// A store that one tenant has filled takes no contact of any.
    pub journals_percent: u8,
    /// Bytes of one push, unpacked; default 64 MiB.
    pub upload_bytes: usize,
    /// Files of a project; default 2000.
    pub files: usize,
    /// What one step may use: `[limits.step]`, with the keys of the engine's own limits, such as `cpu_ms`.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub step: Limits,
    /// Requests of plugins.
    pub http: HttpLimits,
    /// Data of plugins.
    pub kv: KvLimits,
    /// Log lines of plugins.
    pub log: LogLimits,
}

impl Default for TenantLimits {
    fn default() -> Self {
        TenantLimits {
            contacts: 1_000,
            chats: 500,
            instances_percent: 50,
            transfers_percent: 50,
            memory_mib: MEMORY_MIB,
            prompts_mib: PROMPTS_MIB,
            flows_mib: 256,
            speech_mb: 128,
            requests_per_second: 200,
            burst: 400,
            tokens: 100,
            users: 100,
            uploads_per_day: 200,
            trial_ms: 30_000,
            revisions: 100,
            stored_mb: 1_024,
            recordings_mb: RECORDINGS_MB,
            journal_mb_per_contact: JOURNAL_MB,
            journals_percent: 50,
            upload_bytes: 64 << 20,
            files: 2_000,
            step: Limits::default(),
            http: HttpLimits::default(),
            kv: KvLimits::default(),
            log: LogLimits::default(),
        }
    }
}

/// Why the tenants' files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TenantsError {
    /// The folder or a file.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file says something that cannot be.
    #[error("{path}: {why}")]
    Invalid {
        /// Which.
        path: PathBuf,
        /// What, and what to do.
        why: String,
    },
    /// There is none.
    #[error(
        "{folder} has no file such as acme.toml: each file makes a tenant; an empty one is enough to begin with"
    )]
    None {
        /// The folder.
        folder: PathBuf,
    },
}

/// The tenants of a centre, and whose each number is.
#[derive(Debug, Clone, Default)]
pub struct Tenants {
    /// By name.
    pub tenants: BTreeMap<String, TenantConfig>,
    /// Number to tenant: a route's `flow` is the tenant's name.
    pub numbers: Routes,
}

/// Whether a folder is a centre's rather than a project's.
pub fn is_centre(folder: &Path) -> bool {
    folder.join(TENANTS).is_dir()
}

impl Tenants {
    /// What is wrong with the tenants' files: of each by itself, or, where each is well, of all together.
    pub fn faults(centre: &Path) -> Vec<TenantsError> {
        let files = match files_of(centre) {
            Ok(files) => files,
            Err(error) => return vec![error],
        };
        let alone = files.into_iter().filter_map(|path| {
            // What cannot be read is told by whoever reads them all.
            let text = std::fs::read_to_string(&path).ok()?;
            let why = TenantConfig::with_files(&text, centre).err()?;
            Some(TenantsError::Invalid { path, why })
        });
        let faults: Vec<TenantsError> = alone.collect();
        match faults.is_empty() {
            true => Tenants::read(centre).err().into_iter().collect(),
            false => faults,
        }
    }

    /// Reads the tenants' files of a centre's folder.
    pub fn read(centre: &Path) -> Result<Tenants, TenantsError> {
        let files = files_of(centre)?;
        let mut read = Tenants::default();
        let mut owners: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?;
            let invalid = |why: String| TenantsError::Invalid {
                path: path.clone(),
                why,
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if !is_project_name(&name) {
                return Err(invalid(format!(
                    "the file's name is the tenant's, and `{}` is none: use lower-case letters, digits and hyphens, a letter first",
                    name.escape_debug()
                )));
            }
            let config = TenantConfig::with_files(&text, centre).map_err(invalid)?;
            for number in &config.numbers {
                if let Some(other) = owners.insert(number.clone(), path.clone()) {
                    let why = match other == path {
                        true => format!(
                            "the number `{number}` stands twice in `numbers`: remove one of the two"
                        ),
                        false => format!(
                            "the number `{number}` stands in {} too: a number is one tenant's; remove it from one of the two",
                            other.display()
                        ),
                    };
                    return Err(invalid(why));
                }
                read.numbers.routes.push(Route {
                    to: number.clone(),
                    flow: name.to_string(),
                    resume: None,
                });
            }
            if let Some((index, message, help)) = read.numbers.unmatchable().into_iter().next() {
                let number = read.numbers.routes[index].to.escape_debug();
                return Err(invalid(format!(
                    "numbers: `{number}`: {}; {}",
                    message.english(),
                    help.english()
                )));
            }
            read.tenants.insert(name.into_owned(), config);
        }
        Ok(read)
    }
}

/// The tenants' files of a centre's folder, by name; an error where there is none.
fn files_of(centre: &Path) -> Result<BTreeSet<PathBuf>, TenantsError> {
    let folder = centre.join(TENANTS);
    let lost = |e: std::io::Error| unreadable(&folder, &e);
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).map_err(lost)? {
        let path = entry.map_err(lost)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.insert(path);
        }
    }
    match files.is_empty() {
        true => Err(TenantsError::None { folder }),
        false => Ok(files),
    }
}

fn unreadable(path: &Path, why: &std::io::Error) -> TenantsError {
    TenantsError::Unreadable {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

impl TenantConfig {
    /// Reads the text of a file, and the files that it names, below the centre's folder. An error is a sentence that says where.
    fn with_files(text: &str, centre: &Path) -> Result<TenantConfig, String> {
        let mut config = TenantConfig::parse(text)?;
        let http = &mut config.limits.http;
        http.trusted = Authorities::read(centre, &http.authorities).map_err(|no| no.to_string())?;
        Ok(config)
    }

    /// Reads the text of a file. An error is a sentence that says where.
    pub fn parse(text: &str) -> Result<TenantConfig, String> {
        let mut config: TenantConfig = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or_default();
                before.matches('\n').count() + 1
            });
            let (message, _) = crate::project::told(text, &error);
            format!("line {line}: {}", message.english().replace('\n', ", "))
        })?;
        for (publisher, key) in &config.publishers {
            if public_key(key).is_none() {
                return Err(format!(
                    "publishers.{publisher} is no Ed25519 public key: 32 bytes in base64, as `strowger plugin key` prints them"
                ));
            }
        }
        if config.signed && config.publishers.is_empty() {
            return Err(
                "`signed = true` without a publisher lets no plugin in: add one below [publishers]"
                    .to_owned(),
            );
        }
        let at = |path: &[&str]| {
            let before = text.get(..key(text, path).start).unwrap_or_default();
            before.matches('\n').count() + 1
        };
        let faults = config.limits.faults().into_iter().map(|(key, why)| {
            let path: Vec<&str> = std::iter::once("limits").chain(key.split('.')).collect();
            (at(&path), why)
        });
        let mut faults: Vec<(usize, String)> = faults.collect();
        faults.sort_by_key(|(line, _)| *line);
        if !faults.is_empty() {
            let told = faults
                .iter()
                .map(|(line, why)| format!("line {line}: {why}"));
            return Err(told.collect::<Vec<_>>().join("; "));
        }
        if config.retention.audit.is_some() {
            let line = at(&["retention", "audit"]);
            return Err(format!(
                "line {line}: the audit log is one of all tenants: write [retention.audit] in the centre's strowger.toml"
            ));
        }
        if let Some((kind, key, message, help)) = config.retention.fault() {
            let line = at(&["retention", kind, key]);
            let (message, help) = (message.english(), help.english());
            return Err(format!("line {line}: {message}; {help}"));
        }
        if let Some((below, why)) = wrong_grant(&config.grants) {
            return Err(format!("line {}: {why}", at(&["grants", below])));
        }
        let said = toml::from_str::<toml::Table>(text);
        note(&said.unwrap_or_default(), "", &mut config.said);
        Ok(config)
    }

    /// What another file of the same tenant says otherwise: each key, what was said and what is.
    pub(super) fn changes(&self, now: &TenantConfig) -> BTreeMap<String, [Option<String>; 2]> {
        let keys: BTreeSet<&String> = self.said.keys().chain(now.said.keys()).collect();
        let both = keys.into_iter().map(|key| {
            let [before, after] = [self, now].map(|config| config.said.get(key).cloned());
            (key.clone(), [before, after])
        });
        both.filter(|(_, [before, after])| before != after)
            .collect()
    }

    /// The public keys of the publishers, by name.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Vec<u8>)> {
        let publishers = self.publishers.iter();
        publishers.filter_map(|(name, key)| Some((name.as_str(), public_key(key)?)))
    }
}

impl TenantLimits {
    /// [`Self::memory_mib`] in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mib) << 20
    }

    /// [`Self::flows_mib`] in bytes.
    pub(crate) fn flows_bytes(&self) -> u64 {
        u64::from(self.flows_mib) << 20
    }

    /// [`Self::prompts_mib`] and [`Self::speech_mb`].
    pub(crate) fn library(&self) -> LibraryLimits {
        LibraryLimits {
            memory: (self.prompts_mib as usize) << 20,
            disk: u64::from(self.speech_mb) << 20,
        }
    }

    /// [`Self::stored_mb`] in bytes.
    pub(crate) fn stored_bytes(&self) -> u64 {
        u64::from(self.stored_mb) << 20
    }

    /// [`Self::recordings_mb`] in bytes.
    pub(crate) fn recordings_bytes(&self) -> u64 {
        u64::from(self.recordings_mb) << 20
    }

    /// Those of what plugins have of the world.
    pub(crate) fn effects(&self) -> EffectLimits {
        EffectLimits {
            http: self.http.clone(),
            kv: self.kv.clone(),
            log: self.log.clone(),
            journal_mb_per_contact: self.journal_mb_per_contact,
            transfers_percent: self.transfers_percent,
        }
    }

    /// The limits that cannot be: the path of each below `limits`, and what to do.
    fn faults(&self) -> Vec<(String, String)> {
        const MIB: u64 = 1 << 20;
        let step = &self.step;
        let size = |value: usize| value as u64;
        let memory = size(strowger_plugin::MEMORY_MOST);
        let tables = size(strowger_plugin::TABLE_ELEMENTS_MOST);
        let interpreter_tables = size(strowger_plugin::INTERPRETER_TABLE_ELEMENTS_MOST);
        let ranges = [
            ("contacts", size(self.contacts), 1, 100_000),
            ("chats", size(self.chats), 0, 100_000),
            ("instances_percent", self.instances_percent.into(), 1, 100),
            ("transfers_percent", self.transfers_percent.into(), 1, 100),
            (
                "memory_mib",
                self.memory_mib.into(),
                (*MEMORY_MIB_RANGE.start()).into(),
                (*MEMORY_MIB_RANGE.end()).into(),
            ),
            (
                "prompts_mib",
                self.prompts_mib.into(),
                (*PROMPTS_MIB_RANGE.start()).into(),
                (*PROMPTS_MIB_RANGE.end()).into(),
            ),
            ("flows_mib", self.flows_mib.into(), 16, 1 << 16),
            ("speech_mb", self.speech_mb.into(), 1, 1 << 16),
            (
                "requests_per_second",
                self.requests_per_second.into(),
                1,
                100_000,
            ),
            ("burst", self.burst.into(), 1, 100_000),
            ("tokens", self.tokens.into(), 0, 100_000),
            ("users", self.users.into(), 0, 1_000),
            ("uploads_per_day", self.uploads_per_day, 0, 100_000),
            ("trial_ms", self.trial_ms, 1, 600_000),
            ("upload_bytes", size(self.upload_bytes), 1, 1 << 30),
            ("files", size(self.files), 1, 20_000),
            ("revisions", size(self.revisions), 1, 100_000),
            ("stored_mb", self.stored_mb.into(), 1, 1 << 20),
            (
                "recordings_mb",
                self.recordings_mb.into(),
                (*RECORDINGS_MB_RANGE.start()).into(),
                (*RECORDINGS_MB_RANGE.end()).into(),
            ),
            ("journals_percent", self.journals_percent.into(), 1, 100),
            (
                "journal_mb_per_contact",
                self.journal_mb_per_contact.into(),
                (*JOURNAL_MB_RANGE.start()).into(),
                (*JOURNAL_MB_RANGE.end()).into(),
            ),
            (
                "step.component_bytes",
                size(step.component_bytes),
                1,
                256 * MIB,
            ),
            // An empty description has some hundred bytes.
            (
                "step.description_bytes",
                size(step.description_bytes),
                1 << 10,
                4 * MIB,
            ),
            ("step.memory_bytes", size(step.memory_bytes), 1, memory),
            (
                "step.interpreter_memory_bytes",
                size(step.interpreter_memory_bytes),
                1,
                memory,
            ),
            ("step.table_elements", size(step.table_elements), 1, tables),
            (
                "step.interpreter_table_elements",
                size(step.interpreter_table_elements),
                1,
                interpreter_tables,
            ),
            ("step.cpu_ms", step.cpu_ms, 1, 10_000),
            ("step.busy_ms", step.busy_ms, 1, 600_000),
            ("step.host_calls", step.host_calls.into(), 1, 100_000),
            // What a step with a few words in and out needs.
            (
                "step.journal_bytes",
                size(step.journal_bytes),
                1 << 10,
                64 * MIB,
            ),
            (
                "step.input_bytes",
                size(step.input_bytes),
                1 << 10,
                16 * MIB,
            ),
            (
                "step.output_bytes",
                size(step.output_bytes),
                1 << 10,
                16 * MIB,
            ),
            (
                "step.string_bytes",
                size(step.string_bytes),
                1 << 10,
                16 * MIB,
            ),
            ("step.list_bytes", size(step.list_bytes), 1 << 10, 16 * MIB),
        ];
        let wrong = ranges
            .into_iter()
            .filter(|(_, value, least, most)| !(*least..=*most).contains(value));
        let wrong = wrong.map(|(key, value, least, most)| {
            let why = format!(
                "limits.{key} is {least} to {most}, not {value}; leave it out for the default"
            );
            (key.to_owned(), why)
        });
        let mut faults: Vec<(String, String)> = wrong.collect();
        let stacks = [
            (
                "step.stack_bytes",
                step.stack_bytes,
                &strowger_plugin::STACKS[..],
            ),
            (
                "step.interpreter_stack_bytes",
                step.interpreter_stack_bytes,
                &strowger_plugin::INTERPRETER_STACKS[..],
            ),
        ];
        let wrong = stacks
            .into_iter()
            .filter(|(_, value, of)| !of.contains(value));
        faults.extend(wrong.map(|(key, value, of)| {
            let of: Vec<String> = of.iter().map(usize::to_string).collect();
            let why = format!(
                "limits.{key} is one of {}, not {value}; leave it out for the default",
                of.join(", ")
            );
            (key.to_owned(), why)
        }));
        faults.extend(self.effects().faults().map(|wrong| {
            let why = format!("{wrong}; leave it out for the default");
            (format!("{}.{}", wrong.table, wrong.key), why)
        }));
        let hosts = self.http.private.iter().filter(|host| !is_service(host));
        faults.extend(hosts.map(|host| {
            let why = format!(
                "limits.http.private `{}` is not a host and a port, such as `127.0.0.1:8090`",
                host.escape_debug()
            );
            ("http.private".to_owned(), why)
        }));
        faults
    }
}

/// The first grant that fits nothing: its key below `grants`, and what to do.
fn wrong_grant(grants: &Grants) -> Option<(&'static str, String)> {
    if let Some(host) = grants.http.iter().find(|host| !is_service(host)) {
        let why = format!(
            "grants.http `{}` is not a host and a port: write each as requests name it, such as `api.example:443`, without scheme, path or `*`",
            quoted(host)
        );
        return Some(("http", why));
    }
    let queues = grants.queues.iter().flatten();
    let odd = |queue: &&String| queue.trim().is_empty() || queue.contains(char::is_control);
    if let Some(queue) = queues.clone().find(odd) {
        let why = format!(
            "grants.queues `{}` is no name of a queue: write each as the tenant's queues.yaml has it",
            quoted(queue)
        );
        return Some(("queues", why));
    }
    if let Some(odd) = grants.odd_transfer() {
        let why = format!(
            "grants.transfers `{}` is no address: write a number or a SIP URI, with one `*` at most, before the host, such as `+4930*` or \
             `sip:*@pbx.example`",
            quoted(odd)
        );
        return Some(("transfers", why));
    }
    grants.vault.iter().find_map(|entry| {
        let why = check_name(entry).err()?;
        let why = format!(
            "grants.vault `{}` is no entry of a vault: {why}",
            quoted(entry)
        );
        Some(("vault", why))
    })
}

/// Notes each key of a table and of those in it.
fn note(table: &toml::Table, below: &str, said: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = match below {
            "" => key.clone(),
            below => format!("{below}.{key}"),
        };
        match value {
            toml::Value::Table(table) => note(table, &path, said),
            value => {
                let text = value.to_string();
                said.insert(path, text.chars().take(SAID_CHARS).collect());
            }
        }
    }
}

fn public_key(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (bytes.len() == PUBLIC_KEY_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::TenantConfig;

    #[test]
    fn what_is_wrong_with_a_tenant_is_one_sentence() {
        for (text, words) in [
            ("numbers = [1]", "line 1"),
            ("\n\ncolour = 1", "line 3: unknown field `colour`"),
            ("signed = true", "without a publisher"),
            (
                "[publishers]\nacme = \"abc\"",
                "publishers.acme is no Ed25519",
            ),
            ("[limits]\ncontacts = 0", "limits.contacts is 1 to"),
            ("[limits]\nrevisions = 0", "limits.revisions is 1 to"),
            (
                "[limits.step]\nmemory_bytes = 99999999999",
                "limits.step.memory_bytes",
            ),
            ("[limits.step]\ncolour = 1", "unknown field `colour`"),
            (
                "[limits.http]\nredirects = 11",
                "limits.http.redirects is 0 to 10",
            ),
            (
                "[limits.http]\nprivate = [\"http://10.0.0.1/\"]",
                "limits.http.private `http://10.0.0.1/`",
            ),
            (
                "[limits.kv]\nvalue_bytes = 99999999",
                "limits.kv.value_bytes is 0 to",
            ),
            ("[limits.log]\ncolour = 1", "unknown field `colour`"),
            (
                "[limits]\ncontacts = 5\n[limits.step]\ntable_elements = 999999999",
                "line 4: limits.step.table_elements is 1 to 10000, not 999999999; leave it out",
            ),
            (
                "[limits.step]\nstack_bytes = 100000",
                "line 2: limits.step.stack_bytes is one of 32768, 65536, 131072, 262144, not 100000; leave it out",
            ),
            (
                "[limits.step]\ninterpreter_stack_bytes = 0",
                "line 2: limits.step.interpreter_stack_bytes is one of 524288, 1048576, 2097152, not 0",
            ),
            (
                "[limits.step]\nhost_calls = 0",
                "line 2: limits.step.host_calls is 1 to 100000, not 0",
            ),
            (
                "[limits.step]\ninput_bytes = 0",
                "line 2: limits.step.input_bytes is 1024 to",
            ),
            (
                "[limits.step]\ndescription_bytes = 0",
                "line 2: limits.step.description_bytes is 1024 to",
            ),
            (
                "[limits]\ninstances_percent = 101",
                "line 2: limits.instances_percent is 1 to 100, not 101",
            ),
            (
                "[limits]\nmemory_mib = 1",
                "line 2: limits.memory_mib is 16 to 1048576, not 1",
            ),
            (
                "[limits]\nprompts_mib = 31",
                "line 2: limits.prompts_mib is 32 to 65536, not 31",
            ),
            (
                "[limits]\nflows_mib = 15",
                "line 2: limits.flows_mib is 16 to 65536, not 15",
            ),
            (
                "[limits]\nspeech_mb = 0",
                "line 2: limits.speech_mb is 1 to 65536, not 0",
            ),
            (
                "[limits]\nrevisions = 3\nstored_mb = 0",
                "line 3: limits.stored_mb is 1 to 1048576, not 0",
            ),
            (
                "[limits]\nrecordings_mb = 0",
                "line 2: limits.recordings_mb is 1 to 16777216, not 0",
            ),
            // Whichever part of the limits they are of.
            (
                "[limits]\nfiles = 0\nkv = { keys = 9999999 }\ncontacts = 0\n[limits.http]\nredirects = 11\nprivate = [\"x\"]\n[limits.step]\nstack_bytes = 1",
                "line 2: limits.files is 1 to 20000, not 0; leave it out for the default; line 3: limits.kv.keys is 0 to 1000000; leave it out \
                 for the default; line 4: limits.contacts is 1 to 100000, not 0; leave it out for the default; line 6: limits.http.redirects is \
                 0 to 10; leave it out for the default; line 7: limits.http.private `x` is not a host and a port, such as `127.0.0.1:8090`; \
                 line 9: limits.step.stack_bytes is one of",
            ),
            (
                "\n[grants]\nhttp = [\"http://x/\"]",
                "line 3: grants.http `http://x/` is not a host and a port",
            ),
            (
                "[grants]\nkv = true\nhttp = [\"a.example:443\", \"*\"]",
                "line 3: grants.http `*` is not a host and a port",
            ),
            (
                "[grants]\nroute = true\nqueues = [\"front-desk\", \"\"]",
                "line 3: grants.queues `` is no name of a queue",
            ),
            (
                "[grants]\nroute = true\ntransfers = [\"+49*\", \"sip:a@*\"]",
                "line 3: grants.transfers `sip:a@*` is no address",
            ),
            (
                "[grants]\nvault = [\"../x\"]",
                "line 2: grants.vault `../x` is no entry of a vault: an entry's name is",
            ),
            (
                "[limits.http]\nredirects = -1",
                "line 2: limits.http.redirects: invalid value: integer `-1`, expected a whole number from 0 to 255",
            ),
            (
                "[limits]\nhttp = 3",
                "line 2: limits.http: invalid type: integer `3`, expected a map",
            ),
            (
                "[publishers]\nacme = [\"abc\"]",
                "line 2: publishers.acme: invalid type",
            ),
        ] {
            let told = TenantConfig::parse(text).expect_err(text);
            assert!(told.contains(words), "{text}: {told}");
            assert!(!told.contains('\n'), "{told}");
        }
        assert_eq!(super::TenantLimits::default().faults(), []);
        let config =
            TenantConfig::parse("numbers = [\"100\"]\n[limits.step]\ncpu_ms = 20").expect("whole");
        assert_eq!(config.limits.step.cpu_ms, 20);
        assert_eq!(config.limits.step.busy_ms, 5_000);
    }
}
