//! A template and its resources.

use serde_json::Value as Json;

use super::{Map, Value, yaml};

/// A CloudFormation template with the transform of AWS SAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub(crate) description: String,
    /// The comments at the beginning.
    pub(crate) note: Vec<String>,
    pub(crate) metadata: Map,
    pub(crate) parameters: Map,
    /// Conditions on the parameters, which CloudFormation checks before it changes anything.
    pub(crate) rules: Map,
    pub(crate) mappings: Map,
    pub(crate) conditions: Map,
    pub(crate) globals: Map,
    pub(crate) sections: Vec<Section>,
}

/// The resources of one component, with a heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub(crate) title: String,
    pub(crate) note: Option<String>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) outputs: Map,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub(crate) id: String,
    pub(crate) note: Option<String>,
    pub(crate) kind: &'static str,
    /// Everything beside type and properties, for example `DeletionPolicy`.
    pub(crate) attributes: Map,
    pub(crate) properties: Map,
}

impl Resource {
    pub(crate) fn new(id: impl Into<String>, kind: &'static str, properties: Map) -> Self {
        Self { id: id.into(), note: None, kind, attributes: Map::default(), properties }
    }

    /// Explains why the resource exists, or why it is as it is.
    pub(crate) fn because(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// Adds attributes beside type and properties.
    pub(crate) fn with(self, attributes: Map) -> Self {
        Self { attributes: self.attributes.and(attributes), ..self }
    }

    /// Tells a tool why one of its checks does not apply here.
    pub(crate) fn metadata(mut self, tool: &str, exception: Map) -> Self {
        match self.attributes.get_mut("Metadata") {
            Some(Value::Map(metadata)) => metadata.set(tool, exception, None),
            _ => self.attributes.set("Metadata", Map::default().with(tool, exception), None),
        }
        self
    }

    /// Tells Checkov why some of its checks do not apply here: their ids, each with the reason.
    pub(crate) fn skipping(self, checks: &[(&str, &str)]) -> Self {
        let skip = checks.iter().map(|(id, comment)| super::map! { id: *id, comment: *comment });
        self.metadata("checkov", super::map! { skip: skip.collect::<Value>() })
    }

    /// The resource as an entry of a template.
    pub(super) fn body(&self) -> Map {
        let body = Map::default().with("Type", self.kind).and(self.attributes.clone());
        if self.properties.is_empty() {
            body
        } else {
            body.with("Properties", self.properties.clone())
        }
    }
}

impl Section {
    pub(crate) fn new(title: impl Into<String>, note: &str) -> Self {
        let note = (!note.is_empty()).then(|| note.to_owned());
        Self { title: title.into(), note, ..Self::default() }
    }

    pub(crate) fn holding(
        mut self,
        resources: impl IntoIterator<Item = impl Into<Resource>>,
    ) -> Self {
        self.resources.extend(resources.into_iter().map(Into::into));
        self
    }

    /// Adds outputs with the names or, where `Ref` gives something else, the values of resources.
    pub(crate) fn output(mut self, name: impl Into<String>, value: Value) -> Self {
        self.outputs.set(name, super::map! { Value: value }, None);
        self
    }

    /// Adds an output with the same name as its resource.
    pub(crate) fn output_of(self, id: &str) -> Self {
        self.output(id, super::reference(id))
    }

    /// Adds an output with the name of its resource, which exists under a condition only.
    pub(crate) fn output_if(mut self, condition: &str, id: &str) -> Self {
        let output = super::map! { Condition: condition, Value: super::reference(id) };
        self.outputs.set(id, output, None);
        self
    }
}

impl Template {
    /// The template as text, with comments.
    pub fn to_yaml(&self) -> String {
        yaml::write(self)
    }

    /// The template as JSON, without comments.
    pub fn to_json(&self) -> Json {
        let resources = self.sections.iter().flat_map(|section| &section.resources);
        let resources: Map =
            resources.map(|resource| (resource.id.clone(), resource.body())).collect();
        self.head().with("Resources", resources).with("Outputs", self.outputs()).to_json()
    }

    /// The outputs of all sections.
    pub(super) fn outputs(&self) -> Map {
        self.sections.iter().fold(Map::default(), |all, section| all.and(section.outputs.clone()))
    }

    /// Everything before the resources.
    pub(super) fn head(&self) -> Map {
        let head = super::map! {
            AWSTemplateFormatVersion: "2010-09-09",
            Transform: "AWS::Serverless-2016-10-31",
            Description: self.description.as_str(),
        };
        let parts = [
            ("Metadata", &self.metadata),
            ("Parameters", &self.parameters),
            ("Rules", &self.rules),
            ("Mappings", &self.mappings),
            ("Conditions", &self.conditions),
            ("Globals", &self.globals),
        ];
        let parts = parts.into_iter().filter(|(_, part)| !part.is_empty());
        parts.fold(head, |head, (name, part)| head.with(name, part.clone()))
    }
}

/// For changes of a deployment.
impl Template {
    /// The ids of its resources and parameters.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let resources = self.sections.iter().flat_map(|section| &section.resources);
        resources.map(|resource| resource.id.as_str()).chain(self.parameters.keys()).collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Resource> {
        self.sections.iter().flat_map(|section| &section.resources).find(|it| it.id == id)
    }

    /// The properties of a resource, or the content of a parameter.
    pub(crate) fn settings_of(&mut self, id: &str) -> Option<&mut Map> {
        let mut resources = self.sections.iter_mut().flat_map(|section| &mut section.resources);
        match resources.find(|resource| resource.id == id) {
            Some(resource) => Some(&mut resource.properties),
            None => match self.parameters.get_mut(id) {
                Some(Value::Map(parameter)) => Some(parameter),
                _ => None,
            },
        }
    }
}
