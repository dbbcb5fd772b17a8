//! Columns as the bytes of a Parquet file, and back. The same columns always give the same bytes.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    basic::{Compression, ConvertedType, Repetition, Type as Physical},
    column::reader::get_typed_column_reader,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::{ParquetError, Result},
    file::{
        properties::WriterProperties,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::Type,
};

/// The name in the footer of every file. Raise the number when the same rows give other bytes.
const WRITER: &str = "ledgerfold export 1";

/// A column with all its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) values: Values,
}

/// The values of a column, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Text(Vec<String>),
    OptionalText(Vec<Option<String>>),
    Json(Vec<Option<String>>),
    Integers(Vec<i64>),
    OptionalIntegers(Vec<Option<i64>>),
    /// Microseconds since 1970, in UTC.
    Times(Vec<i64>),
    OptionalTimes(Vec<Option<i64>>),
    /// Days since 1970.
    Dates(Vec<Option<i32>>),
    Numbers(Vec<Option<f64>>),
    Booleans(Vec<Option<bool>>),
}

impl Values {
    /// Its types in the file: stored, read as, and whether a value may be missing.
    const fn types(&self) -> (Physical, ConvertedType, Repetition) {
        const OPTIONAL: Repetition = Repetition::OPTIONAL;
        const REQUIRED: Repetition = Repetition::REQUIRED;
        match self {
            Self::Text(_) => (Physical::BYTE_ARRAY, ConvertedType::UTF8, REQUIRED),
            Self::OptionalText(_) => (Physical::BYTE_ARRAY, ConvertedType::UTF8, OPTIONAL),
            Self::Json(_) => (Physical::BYTE_ARRAY, ConvertedType::JSON, OPTIONAL),
            Self::Integers(_) => (Physical::INT64, ConvertedType::NONE, REQUIRED),
            Self::OptionalIntegers(_) => (Physical::INT64, ConvertedType::NONE, OPTIONAL),
            Self::Times(_) => (Physical::INT64, ConvertedType::TIMESTAMP_MICROS, REQUIRED),
            Self::OptionalTimes(_) => (Physical::INT64, ConvertedType::TIMESTAMP_MICROS, OPTIONAL),
            Self::Dates(_) => (Physical::INT32, ConvertedType::DATE, OPTIONAL),
            Self::Numbers(_) => (Physical::DOUBLE, ConvertedType::NONE, OPTIONAL),
            Self::Booleans(_) => (Physical::BOOLEAN, ConvertedType::NONE, OPTIONAL),
        }
    }
}

/// The file with these columns, which all have the same number of values.
pub(crate) fn write(columns: &[Column]) -> Result<Vec<u8>> {
    let fields = columns.iter().map(|column| {
        let (physical, converted, repetition) = column.values.types();
        let field = Type::primitive_type_builder(&column.name, physical);
        field.with_converted_type(converted).with_repetition(repetition).build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("events").with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(WRITER.to_owned())
        .build();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for column in columns {
        write_column(&mut group, &column.values)?;
    }
    group.close()?;
    writer.close()?;
    Ok(file)
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: &Values,
) -> Result<()> {
    match values {
        Values::Text(texts) => {
            let values: Vec<_> = texts.iter().map(|text| ByteArray::from(text.as_str())).collect();
            write_values::<ByteArrayType>(group, &values, None)
        }
        Values::OptionalText(texts) | Values::Json(texts) => {
            let bytes = |text: &Option<String>| text.as_deref().map(ByteArray::from);
            write_optional::<ByteArrayType>(group, texts.iter().map(bytes))
        }
        Values::Integers(values) | Values::Times(values) => {
            write_values::<Int64Type>(group, values, None)
        }
        Values::OptionalIntegers(values) | Values::OptionalTimes(values) => {
            write_optional::<Int64Type>(group, values.iter().copied())
        }
        Values::Dates(values) => write_optional::<Int32Type>(group, values.iter().copied()),
        Values::Numbers(values) => write_optional::<DoubleType>(group, values.iter().copied()),
        Values::Booleans(values) => write_optional::<BoolType>(group, values.iter().copied()),
    }
}

fn write_optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>> + Clone,
) -> Result<()> {
    let levels: Vec<i16> = values.clone().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<_> = values.flatten().collect();
    write_values::<T>(group, &present, Some(&levels))
}

fn write_values<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("the schema has no more columns".to_owned()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// An open file whose columns are read in their order.
pub(crate) struct Reader {
    file: SerializedFileReader<Bytes>,
    next: usize,
}

impl Reader {
    pub(crate) fn open(content: Vec<u8>) -> Result<Self> {
        Ok(Self { file: SerializedFileReader::new(Bytes::from(content))?, next: 0 })
    }

    /// The next column, which must have this name and a value in each row.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let values = self.column::<ByteArrayType>(name)?;
        values
            .into_iter()
            .map(|value| required(name, value).and_then(|value| text(&value)))
            .collect()
    }

    /// The next column, whose values may be missing.
    pub(crate) fn optional_texts(&mut self, name: &str) -> Result<Vec<Option<String>>> {
        let values = self.column::<ByteArrayType>(name)?;
        values.into_iter().map(|value| value.map(|value| text(&value)).transpose()).collect()
    }

    /// The next column, of integers.
    pub(crate) fn integers(&mut self, name: &str) -> Result<Vec<i64>> {
        let values = self.column::<Int64Type>(name)?;
        values.into_iter().map(|value| required(name, value)).collect()
    }

    fn column<T: DataType>(&mut self, name: &str) -> Result<Vec<Option<T::T>>> {
        let mut all = Vec::new();
        for at in 0..self.file.num_row_groups() {
            let group = self.file.get_row_group(at)?;
            all.extend(column_of::<T>(&*group, self.next, name)?);
        }
        self.next += 1;
        Ok(all)
    }
}

fn column_of<T: DataType>(
    group: &dyn RowGroupReader,
    at: usize,
    name: &str,
) -> Result<Vec<Option<T::T>>> {
    let metadata = group.metadata();
    let described = metadata.schema_descr().columns().get(at);
    let described = described
        .filter(|column| column.name() == name && column.physical_type() == T::get_physical_type());
    let Some(described) = described else {
        return Err(ParquetError::General(format!("column {at} is not {name}")));
    };
    let is_optional = described.max_def_level() > 0;
    let rows = usize::try_from(metadata.num_rows()).unwrap_or_default();
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(at)?);
    let mut values = Vec::with_capacity(rows);
    let mut levels = Vec::with_capacity(rows);
    let (read, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if read != rows {
        return Err(ParquetError::General(format!("{name} has {read} of {rows} values")));
    }
    if !is_optional {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut present = values.into_iter();
    Ok(levels.into_iter().map(|level| (level > 0).then(|| present.next()).flatten()).collect())
}

fn required<T>(name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| ParquetError::General(format!("a value of {name} is missing")))
}

fn text(value: &ByteArray) -> Result<String> {
    Ok(value.as_utf8()?.to_owned())
}
