//! The functions and tables of a context, as its template declares them.

use std::collections::BTreeMap;

use ledgerfold::context::Context;
use ledgerfold_infra::{Changes, TemplateError, template};
use serde_json::{Value, json};

/// The secret in place of the one that CloudFormation looks up.
const SECRET: &str = "a secret that is long enough for a signature";

/// The template of a context, with the values that CloudFormation would fill in.
pub(crate) struct Stack {
    template: Value,
}

/// A function of the template.
pub(crate) struct Function {
    /// Its id.
    pub(crate) name: String,
    /// Its environment, without that of Lambda itself.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Function {
    /// The role that its environment names.
    pub(crate) fn role(&self) -> &str {
        self.variables.get("ROLE").map_or("", String::as_str)
    }
}

impl Stack {
    pub(crate) fn of(context: &Context) -> Result<Self, TemplateError> {
        Ok(Self { template: template(context, &Changes::none())?.to_json() })
    }

    /// One function for each role, in the order of their ids.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut all: Vec<Function> = Vec::new();
        for (id, properties) in self.resources("AWS::Serverless::Function") {
            let variables =
                properties["Environment"]["Variables"].as_object().into_iter().flatten();
            let variables = variables.map(|(name, value)| (name.clone(), self.resolved(value)));
            let function = Function { name: id.to_owned(), variables: variables.collect() };
            if all.iter().all(|other| other.role() != function.role()) {
                all.push(function);
            }
        }
        all
    }

    /// The requests that create the tables.
    pub(crate) fn tables(&self) -> Vec<Value> {
        let tables = self.resources("AWS::DynamoDB::Table").map(|(id, properties)| {
            let mut request = json!({"TableName": id});
            for property in
                ["KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes"]
            {
                if let Some(value) = properties.get(property) {
                    request[property] = value.clone();
                }
            }
            request
        });
        tables.collect()
    }

    fn resources(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.template["Resources"].as_object().into_iter().flatten();
        let of_kind = all.filter(move |(_, body)| body["Type"] == kind);
        of_kind.map(|(id, body)| (id.as_str(), &body["Properties"]))
    }

    /// The value of a variable. A table is called by its id, and a parameter has its default.
    fn resolved(&self, value: &Value) -> String {
        if let Some(id) = value["Ref"].as_str() {
            // The only parameter without a default.
            if id == "Authentication" {
                return "none".to_owned();
            }
            let default = &self.template["Parameters"][id]["Default"];
            return if default.is_null() { id.to_owned() } else { text(default) };
        }
        if value["Fn::Sub"].is_string() { SECRET.to_owned() } else { text(value) }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
