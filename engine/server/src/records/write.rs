//! Records into a file or a pipe, one after the other.

use std::io::Write;

use super::columns::{COLUMNS, csv as csv_cell};
use super::parquet::ParquetSink;
use super::record::ContactRecord;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A table for spreadsheets (RFC 4180), with a line of names; lists are JSON in a cell.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// Why records cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file or the pipe.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// Parquet.
    #[error(transparent)]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

impl RecordError {
    /// Whether nobody reads any more.
    pub fn is_closed_pipe(&self) -> bool {
        let kind = match self {
            RecordError::Io(error) => Some(error.kind()),
            RecordError::Csv(error) => match error.kind() {
                csv::ErrorKind::Io(error) => Some(error.kind()),
                _ => None,
            },
            RecordError::Parquet(_) => None,
        };
        kind == Some(std::io::ErrorKind::BrokenPipe)
    }
}

/// Where records go.
pub struct Sink<W: Write + Send>(Kind<W>);

enum Kind<W: Write + Send> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
    Parquet(Box<ParquetSink<W>>),
}

impl<W: Write + Send> Sink<W> {
    /// Begins a file; what a form needs first is written.
    pub fn new(form: Form, out: W) -> Result<Self, RecordError> {
        Ok(Self(match form {
            Form::Csv => {
                let mut table = csv::Writer::from_writer(out);
                table.write_record(COLUMNS.iter().map(|column| column.name))?;
                Kind::Csv(Box::new(table))
            }
            Form::Jsonl => Kind::Jsonl(out),
            Form::Parquet => Kind::Parquet(Box::new(ParquetSink::new(out)?)),
        }))
    }

    /// Writes a record.
    pub fn write(&mut self, record: &ContactRecord) -> Result<(), RecordError> {
        match &mut self.0 {
            Kind::Csv(table) => {
                table.write_record(COLUMNS.iter().map(|column| csv_cell((column.cell)(record))))?;
            }
            Kind::Jsonl(out) => {
                serde_json::to_writer(&mut *out, record).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Kind::Parquet(file) => file.write(record)?,
        }
        Ok(())
    }

    /// Ends the file.
    pub fn finish(self) -> Result<(), RecordError> {
        match self.0 {
            Kind::Csv(mut table) => table.flush()?,
            Kind::Jsonl(mut out) => out.flush()?,
            Kind::Parquet(file) => file.finish()?,
        }
        Ok(())
    }
}
