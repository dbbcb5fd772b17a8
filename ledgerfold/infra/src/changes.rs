//! The additions and changes of a deployment to the template of its context.

use serde_json::Value as Json;

use crate::document::{Map, Resource, Section, Template, Value};

/// Additional resources and changed properties. Each has a reason, which becomes a comment of the template.
///
/// ```
/// use ledgerfold_infra::Changes;
/// use serde_json::json;
///
/// let changes = Changes::none()
///     .set("QueryFunction", "MemorySize", json!(1024), "Statements of a year need more memory.")
///     .add("Assets", "AWS::S3::Bucket", json!({}), "Receipts that customers download.");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Changes {
    properties: Vec<Property>,
    resources: Vec<Resource>,
}

#[derive(Clone, Debug)]
struct Property {
    resource: &'static str,
    /// The names from the properties to the value, separated by dots.
    path: &'static str,
    value: Value,
    reason: &'static str,
}

/// A change names something that the template does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownResource {
    /// There is no such resource or parameter.
    #[error("{0} is neither a resource nor a parameter of the template; it has {1}")]
    Resource(&'static str, String),
    /// The path leads through something that is not a map.
    #[error("{resource} has no map at {path}")]
    Path {
        /// The resource.
        resource: &'static str,
        /// The path.
        path: &'static str,
    },
    /// An added resource exists already.
    #[error("the template already has {0}: give the added resource another id")]
    Exists(String),
}

impl Changes {
    /// The template as the declaration gives it.
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets a property of a resource, or of a parameter. `path` names it, with dots between the names of maps.
    #[must_use]
    pub fn set(
        mut self,
        resource: &'static str,
        path: &'static str,
        value: Json,
        reason: &'static str,
    ) -> Self {
        self.properties.push(Property { resource, path, value: value.into(), reason });
        self
    }

    /// Adds a resource.
    #[must_use]
    pub fn add(
        mut self,
        id: &'static str,
        kind: &'static str,
        properties: Json,
        reason: &'static str,
    ) -> Self {
        let properties = match Value::from(properties) {
            Value::Map(map) => map,
            _ => Map::default(),
        };
        self.resources.push(Resource::new(id, kind, properties).because(reason));
        self
    }

    pub(crate) fn apply(&self, template: &mut Template) -> Result<(), UnknownResource> {
        for property in &self.properties {
            property.apply(template)?;
        }
        for added in &self.resources {
            if template.find(&added.id).is_some() {
                return Err(UnknownResource::Exists(added.id.clone()));
            }
        }
        if !self.resources.is_empty() {
            let own = Section::new("Added by the context", "").holding(self.resources.clone());
            template.sections.push(own);
        }
        Ok(())
    }
}

impl Property {
    fn apply(&self, template: &mut Template) -> Result<(), UnknownResource> {
        let known = template.ids().join(", ");
        let Some(mut map) = template.settings_of(self.resource) else {
            return Err(UnknownResource::Resource(self.resource, known));
        };
        let (inner, last) = match self.path.rsplit_once('.') {
            Some((inner, last)) => (inner.split('.').collect(), last),
            None => (Vec::new(), self.path),
        };
        for name in inner {
            map = match map.get_mut(name) {
                Some(Value::Map(map)) => map,
                _ => {
                    return Err(UnknownResource::Path { resource: self.resource, path: self.path });
                }
            };
        }
        map.set(last, self.value.clone(), Some(self.reason.to_owned()));
        Ok(())
    }
}
