//! `strowger export`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::{FOUND, Failure, OK, data_folder, store_of};
use crate::clock::moment;
use crate::records::{Form, RecordError, Sink};
use crate::store::{RecordFilter, Store};

/// Pause between two lines that say how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Writes the records of contacts that are over, as a table or as JSON.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger export -p flows/aurora --format csv --output november.csv --from 2026-11-01 --to 2026-12-01
  strowger export -p flows/aurora --format jsonl | jq .reason
  strowger export -p flows/complaints --format csv --tag callback --output callbacks.csv
  strowger export -p flows/aurora --format parquet --flow main-menu --output menu.parquet

Times are those of the contacts' ends: --from and later, before --to. A day begins at 0:00 UTC; other hours are written
such as 2026-11-01T00:00:00+08:00. The engine may be running. In CSV, a text that a spreadsheet could take for a
formula begins with an apostrophe. A file is there when it is whole, and not before.

A record that is damaged in the store is left out, and its contact named on standard error.

Exit code: 0 done, 1 damaged records were left out, 2 it could not be written.")]
pub(super) struct Export {
    /// The project whose contacts they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` kept them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Contacts that ended at this time or later.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<u64>,
    /// Contacts that ended before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<u64>,
    /// Contacts of this tenant; all by default.
    #[arg(long)]
    tenant: Option<String>,
    /// Contacts that began in this flow.
    #[arg(long)]
    flow: Option<String>,
    /// Contacts that have a tag of this name.
    #[arg(long)]
    tag: Option<String>,
    /// How they are written.
    #[arg(long, value_enum)]
    format: Form,
    /// The file; standard output by default. One that is there is replaced.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data.clone(), &self.project);
        let place = store_of(&self.project, &data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        let written = match &self.output {
            None => {
                let out = BufWriter::new(std::io::stdout());
                self.write(&store, out).await
            }
            Some(file) => self.write_file(&store, file).await,
        };
        let written = match written {
            Err(Stopped::Write(error)) if error.is_closed_pipe() => return Ok(OK),
            Err(Stopped::Write(error)) => {
                let place = self.output.as_ref().map_or_else(
                    || "standard output".to_owned(),
                    |file| file.display().to_string(),
                );
                return Err(Failure::cannot(format!("cannot write {place}: {error}")));
            }
            Err(Stopped::Read(failure)) => return Err(failure),
            Ok(written) => written,
        };
        let Written { records, damaged } = written;
        eprintln!("{records} records");
        if damaged.is_empty() {
            return Ok(OK);
        }
        eprintln!(
            "{} records are damaged and left out, of the contacts {}: `strowger trace CONTACT` shows what a journal holds, and a backup of \
             before may have the records",
            damaged.len(),
            damaged.join(", ")
        );
        Ok(FOUND)
    }

    /// Writes beside the file and puts it in its place when it is whole. What is no file, such as a pipe or `/dev/null`, stays what it is
    /// and is written into; behind a link, it is the file that the link leads to.
    async fn write_file(&self, store: &Store, path: &Path) -> Result<Written, Stopped> {
        let there = std::fs::metadata(path);
        if there.as_ref().is_ok_and(|there| !there.is_file()) {
            let out = File::options().write(true).open(path)?;
            return self.write(store, BufWriter::new(out)).await;
        }
        let path = match there {
            Ok(_) => std::fs::canonicalize(path)?,
            Err(_) => path.to_owned(),
        };
        let path = path.as_path();
        let mut name = path.as_os_str().to_owned();
        name.push(".unfinished");
        let unfinished = PathBuf::from(name);
        let file = File::create(&unfinished)?;
        let written = self.write(store, BufWriter::new(file)).await;
        let done = written.and_then(|written| {
            File::open(&unfinished)?.sync_all()?;
            std::fs::rename(&unfinished, path)?;
            Ok(written)
        });
        if done.is_err() {
            // The reason is told; a rest that cannot be removed is no worse.
            let _ = std::fs::remove_file(&unfinished);
        }
        done
    }

    async fn write(&self, store: &Store, out: impl Write + Send) -> Result<Written, Stopped> {
        let mut filter = RecordFilter {
            from: self.from.unwrap_or_default(),
            to: self.to,
            tenant: self.tenant.clone(),
            flow: self.flow.clone(),
            tag: self.tag.clone(),
            ..RecordFilter::default()
        };
        let all = store.count_records(&filter).await.map_err(stopped)?;
        let mut sink = Sink::new(self.format, out)?;
        let mut written = Written::default();
        let mut told = Instant::now();
        loop {
            let page = store.records(&filter).await.map_err(stopped)?;
            for record in &page.records {
                sink.write(record)?;
                written.records += 1;
            }
            written.damaged.extend(page.damaged);
            if told.elapsed() > TELL_EVERY {
                eprintln!("{} of {all} records", written.records);
                told = Instant::now();
            }
            match page.next {
                Some(next) => filter.after = Some(next),
                None => break,
            }
        }
        sink.finish()?;
        Ok(written)
    }
}

/// What was written.
#[derive(Debug, Default)]
struct Written {
    records: u64,
    /// Contacts whose records are damaged.
    damaged: Vec<String>,
}

/// Why it ended before its end.
enum Stopped {
    Read(Failure),
    Write(RecordError),
}

impl<E: Into<RecordError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Stopped::Write(error.into())
    }
}

fn stopped(error: crate::store::StoreError) -> Stopped {
    Stopped::Read(Failure::cannot(error))
}
