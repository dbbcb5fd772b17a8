use std::collections::BTreeMap;

use ledgerfold::{
    Event, Payload, SchemaVersion,
    schema::{Catalog, Contract, Standing},
};
use serde_json::Value;

use super::{
    About, Finding, Golden, Kept, Promised, SchemaName, Update, asyncapi, change::Change, diff,
};

/// The findings of the check, and the files that it can write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examined {
    /// The differences, in the order of the catalog.
    pub findings: Vec<Finding>,
    /// The missing and outdated files. Empty while there is any incompatible change.
    pub update: Update,
}

/// Compares a context's events with the files of its contract. `samples` are events of today, at least one of each
/// type.
pub fn examine<E: Contract>(about: &About, kept: &Kept, samples: &[E]) -> Examined {
    let catalog = E::catalog();
    let promised = promised(about, &catalog, kept);
    let mut findings = schemas(&promised, kept);
    findings.extend(uncovered(&catalog, kept));
    findings.extend(missing_goldens(&catalog, kept, samples));
    findings.extend(kept.goldens.iter().flat_map(|golden| golden_file::<E>(golden, &promised)));
    findings.extend(samples.iter().filter_map(|sample| misfit("the sample", sample, &promised)));
    let asyncapi = asyncapi::document(about, &promised);
    if kept.asyncapi.as_ref() != Some(&asyncapi) {
        findings.push(Finding::AsyncApi);
    }
    let update = update(&findings, &promised, samples, &asyncapi);
    Examined { findings, update }
}

/// The published schemas. They are generated from the types; retired versions have no type and use the stored schema.
fn promised(about: &About, catalog: &Catalog, kept: &Kept) -> Vec<Promised> {
    let entries = catalog.entries().iter().filter_map(|entry| {
        let name = SchemaName::new(&entry.event_type, entry.version);
        let schema = match entry.standing.schema() {
            Some(schema) => published(about, &name, schema),
            None => kept.schemas.get(&name)?.clone(),
        };
        Some(Promised { name, schema, standing: entry.standing.clone() })
    });
    entries.collect()
}

/// The schema with its id, which events have in `dataschema`.
fn published(about: &About, name: &SchemaName, schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$id".to_owned(), Value::from(about.urn(name)));
    }
    schema
}

/// Compares each schema with the stored one.
fn schemas(promised: &[Promised], kept: &Kept) -> Vec<Finding> {
    let of = |Promised { name, schema, standing }: &Promised| -> Vec<Finding> {
        let Some(old) = kept.schemas.get(name) else {
            // With a golden file the version was published before, so its schema must exist.
            let lost = kept.has_golden(name);
            return vec![if lost { Finding::SchemaLost } else { Finding::New }(name.clone())];
        };
        let finding = |change: Change| match standing {
            Standing::Written(_) => Finding::Changed { name: name.clone(), change },
            _ => Finding::HistoryChanged { name: name.clone(), change },
        };
        diff(old, schema).into_iter().map(finding).collect()
    };
    promised.iter().flat_map(of).collect()
}

/// Versions that were written in the past and cannot be read any more.
fn uncovered(catalog: &Catalog, kept: &Kept) -> Vec<Finding> {
    let mut findings = BTreeMap::new();
    for entry in catalog.entries().iter().filter(|entry| is_written(&entry.standing)) {
        for version in 1..entry.version.get() {
            let name = SchemaName::new(&entry.event_type, SchemaVersion::new(version));
            if catalog.entry(&name.event_type, name.version).is_none() {
                let written = entry.version;
                findings.insert(name.clone(), Finding::NoUpcaster { name, written });
            }
        }
    }
    for name in kept.schemas.keys() {
        if catalog.entry(&name.event_type, name.version).is_some() {
            continue;
        }
        let name = name.clone();
        match catalog.written(&name.event_type) {
            Some(written) if written < name.version => {
                findings.insert(name.clone(), Finding::Lowered { name, written });
            }
            Some(_) => {}
            None => {
                findings.insert(name.clone(), Finding::Dropped(name));
            }
        }
    }
    findings.into_values().collect()
}

fn is_written(standing: &Standing) -> bool {
    matches!(standing, Standing::Written(_))
}

/// Versions without a golden file, and retired versions without a schema.
fn missing_goldens<E: Event>(catalog: &Catalog, kept: &Kept, samples: &[E]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in catalog.entries() {
        let name = SchemaName::new(&entry.event_type, entry.version);
        if entry.standing.schema().is_none() && !kept.schemas.contains_key(&name) {
            findings.push(Finding::SchemaLost(name.clone()));
        }
        if !kept.has_golden(&name) {
            findings.push(if !is_written(&entry.standing) {
                Finding::GoldenLost(name)
            } else if sample_of(samples, &name).is_some() {
                Finding::NoGoldenYet(name)
            } else {
                Finding::NoSample(name)
            });
        }
    }
    findings
}

fn sample_of<'a, E: Event>(samples: &'a [E], name: &SchemaName) -> Option<&'a E> {
    samples.iter().find(|sample| name_of(*sample) == *name)
}

fn name_of(event: &impl Event) -> SchemaName {
    SchemaName::new(&event.event_type(), event.schema_version())
}

/// Checks that a golden file fits its schema and can be read, and that the result can be written and read again.
fn golden_file<E: Event>(golden: &Golden, promised: &[Promised]) -> Vec<Finding> {
    let Golden { file, name, data } = golden;
    let unreadable = |reason: String| Finding::Unreadable { file: file.clone(), reason };
    let Some(of) = promised.iter().find(|promised| promised.name == *name) else {
        return vec![unreadable(format!("no type reads {name}"))];
    };
    let mut findings: Vec<_> = misfits(file, data, of).collect();
    match E::decode(&name.event_type, name.version, data) {
        Ok(today) => {
            findings.extend(today.as_slice().iter().filter_map(|event| written_again(file, event)));
            findings
                .extend(today.as_slice().iter().filter_map(|event| misfit(file, event, promised)));
        }
        Err(error) => findings.push(unreadable(error.to_string())),
    }
    findings
}

fn written_again<E: Event>(file: &str, event: &E) -> Option<Finding> {
    let read_again = event.encode().map_err(|error| error.to_string()).and_then(|data| {
        E::decode(&event.event_type(), event.schema_version(), &data)
            .map_err(|error| error.to_string())
    });
    let reason = match read_again {
        Ok(again) if again.as_slice() == [event.clone()] => return None,
        Ok(again) => format!("{event:?} becomes {:?}", again.as_slice()),
        Err(reason) => reason,
    };
    Some(Finding::Unfaithful { file: file.to_owned(), reason })
}

/// Compares the JSON of an event with the schema of its type.
fn misfit<E: Event>(what: &str, event: &E, promised: &[Promised]) -> Option<Finding> {
    let name = name_of(event);
    let of = promised.iter().find(|promised| promised.name == name)?;
    match event.encode() {
        Ok(data) => misfits(&format!("{what}, as it is written today,"), &data, of).next(),
        Err(error) => {
            Some(Finding::Misfit { what: what.to_owned(), name, reason: error.to_string() })
        }
    }
}

fn misfits(what: &str, data: &Payload, of: &Promised) -> impl Iterator<Item = Finding> {
    let reason = match (jsonschema::draft202012::options().build(&of.schema), data.decode()) {
        (Ok(schema), Ok(data)) => {
            let data: Value = data;
            schema.iter_errors(&data).next().map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                place => format!("{error} at {place}"),
            })
        }
        (Err(error), _) => Some(error.to_string()),
        (_, Err(error)) => Some(error.to_string()),
    };
    let what = what.to_owned();
    let name = of.name.clone();
    reason.map(|reason| Finding::Misfit { what, name, reason }).into_iter()
}

/// The files to write. There are none while any change is incompatible, because they would hide it. An existing golden
/// file is never overwritten.
fn update<E: Event>(
    findings: &[Finding],
    promised: &[Promised],
    samples: &[E],
    asyncapi: &Value,
) -> Update {
    let mut update = Update::default();
    if !findings.iter().all(Finding::is_update) {
        return update;
    }
    for finding in findings {
        match finding {
            Finding::New(name)
            | Finding::Changed { name, .. }
            | Finding::HistoryChanged { name, .. } => {
                if let Some(of) = promised.iter().find(|promised| promised.name == *name) {
                    update.document(name.schema_file(), &of.schema);
                }
            }
            Finding::NoGoldenYet(name) => {
                if let Some(Ok(data)) = sample_of(samples, name).map(Event::encode) {
                    update.golden(name, &data);
                }
            }
            Finding::AsyncApi => update.asyncapi(asyncapi),
            _ => {}
        }
    }
    update
}
