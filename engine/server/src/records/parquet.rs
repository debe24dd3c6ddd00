//! Records in the form of Apache Parquet: a column store that data tools read. Row groups of bounded size, so that memory
//! does not grow with the number of records.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::columns::{COLUMNS, Cell, Kind};
use super::record::ContactRecord;

/// Rows of a group: some ten megabytes.
const GROUP: usize = 8_192;

/// A file in the making.
pub(super) struct ParquetSink<W: Write + Send> {
    file: SerializedFileWriter<W>,
    rows: Vec<Vec<Cell>>,
}

impl<W: Write + Send> ParquetSink<W> {
    pub fn new(out: W) -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(&schema())?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("strowger ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            file: SerializedFileWriter::new(out, schema, Arc::new(properties))?,
            rows: Vec::new(),
        })
    }

    pub fn write(&mut self, record: &ContactRecord) -> Result<(), ParquetError> {
        let row = COLUMNS.iter().map(|column| (column.cell)(record));
        self.rows.push(row.collect());
        match self.rows.len() {
            GROUP => self.group(),
            _ => Ok(()),
        }
    }

    pub fn finish(mut self) -> Result<(), ParquetError> {
        self.group()?;
        self.file.close()?;
        Ok(())
    }

    fn group(&mut self) -> Result<(), ParquetError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.file.next_row_group()?;
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            let cells = rows.iter().map(|row| &row[number]);
            match COLUMNS[number].kind {
                Kind::Text => {
                    let (values, levels) = optional(cells.map(|cell| match cell {
                        Cell::Text(text) => text.as_deref().map(ByteArray::from),
                        _ => None,
                    }));
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&values, Some(&levels), None)?;
                }
                Kind::Number | Kind::Time => {
                    let (values, levels) = optional(cells.map(|cell| match cell {
                        Cell::Number(number) => Some(*number),
                        Cell::Time(at) => *at,
                        Cell::Text(_) => None,
                    }));
                    column
                        .typed::<Int64Type>()
                        .write_batch(&values, Some(&levels), None)?;
                }
            }
            column.close()?;
            number += 1;
        }
        group.close()?;
        Ok(())
    }
}

/// The values that are there, and for each row whether there is one.
fn optional<T>(cells: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let mut values = Vec::new();
    let levels = cells
        .map(|cell| match cell {
            Some(value) => {
                values.push(value);
                1
            }
            None => 0,
        })
        .collect();
    (values, levels)
}

fn schema() -> String {
    let columns = COLUMNS.iter().map(|column| {
        let (kind, logical) = match column.kind {
            Kind::Text => ("BYTE_ARRAY", " (UTF8)"),
            Kind::Number => ("INT64", ""),
            Kind::Time => ("INT64", " (TIMESTAMP(MILLIS,true))"),
        };
        format!("  OPTIONAL {kind} {}{logical};\n", column.name)
    });
    format!("message contact {{\n{}}}", columns.collect::<String>())
}
