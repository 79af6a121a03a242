//! Query parameters (RFC 7644 §3.4.2, §3.9, RFC 9865 §2), decoded once: `+` and `%20` are blanks, names are known in any case. A query by POST
//! (§3.4.3) brings the same ones in its body.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use provider::ListQuery;
use scim::{Projection, SEARCH_REQUEST_URN, ScimError};
use serde_json::Value;

use super::Rejection;
use crate::App;

/// The parameters that mean something; others are ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) filter: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    cursor: Option<String>,
}

impl Parameters {
    pub(crate) fn read(query: &str) -> Result<Self, ScimError> {
        let mut parameters = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if let Some(place) = parameters.place(&name) {
                if place.is_some() {
                    return Err(given_twice(&name));
                }
                *place = Some(decode(value)?);
            }
        }
        Ok(parameters)
    }

    /// Reads the message of a query by POST (RFC 7644 §3.4.3). What would mean nothing in an address means nothing here.
    pub(crate) fn of_search(body: Value) -> Result<Self, ScimError> {
        let Value::Object(message) = body else {
            return Err(ScimError::invalid_syntax("a search is a JSON object"));
        };
        let (mut parameters, mut is_search) = (Self::default(), false);
        for (name, value) in message {
            if name.eq_ignore_ascii_case("schemas") {
                let is_urn = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST_URN));
                is_search = value.as_array().is_some_and(|urns| urns.iter().any(is_urn));
            } else if let Some(place) = parameters.place(&name) {
                if place.is_some() {
                    return Err(given_twice(&name));
                }
                *place = parameter(&name, value)?;
            }
        }
        if !is_search {
            return Err(ScimError::invalid_syntax(format!("'schemas' of a search must hold {SEARCH_REQUEST_URN}")));
        }
        Ok(parameters)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name.to_ascii_lowercase().as_str() {
            "filter" => Some(&mut self.filter),
            "attributes" => Some(&mut self.attributes),
            "excludedattributes" => Some(&mut self.excluded_attributes),
            "sortby" => Some(&mut self.sort_by),
            "sortorder" => Some(&mut self.sort_order),
            "startindex" => Some(&mut self.start_index),
            "count" => Some(&mut self.count),
            "cursor" => Some(&mut self.cursor),
            _ => None,
        }
    }

    pub(crate) fn projection(&self) -> Result<Projection, ScimError> {
        Projection::read(self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    /// What is said of a list.
    pub(crate) fn list(&self) -> ListQuery<'_> {
        ListQuery {
            filter: self.filter.as_deref(),
            sort_by: self.sort_by.as_deref(),
            sort_order: self.sort_order.as_deref(),
            start_index: self.start_index.as_deref(),
            count: self.count.as_deref(),
            cursor: self.cursor.as_deref(),
        }
    }
}

/// The filters of a query whose other parameters mean nothing; those that cannot be read are none.
pub(crate) fn filters(query: &str) -> impl Iterator<Item = String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let named = pairs.filter(|(name, _)| decode(name).is_ok_and(|name| name.eq_ignore_ascii_case("filter")));
    named.filter_map(|(_, value)| decode(value).ok())
}

fn given_twice(name: &str) -> ScimError {
    ScimError::invalid_value(format!("{} is given twice", name.to_ascii_lowercase()))
}

/// A value of a message as it would stand in an address: attribute names are separated by commas.
fn parameter(name: &str, value: Value) -> Result<Option<String>, ScimError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Array(names) if name.to_ascii_lowercase().ends_with("attributes") => {
            let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
            let names = names.ok_or_else(|| ScimError::invalid_value(format!("{name} must be a list of names")))?;
            Ok(Some(names.join(",")))
        }
        Value::Array(_) | Value::Bool(_) | Value::Object(_) => {
            Err(ScimError::invalid_value(format!("{name} has a value that it cannot have")))
        }
    }
}

fn decode(text: &str) -> Result<String, ScimError> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) if !decoded.contains('\0') => Ok(decoded.into_owned()),
        _ => Err(ScimError::invalid_value("the query string is not percent-encoded UTF-8")),
    }
}

impl FromRequestParts<App> for Parameters {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        Ok(match parts.uri.query() {
            None => Self::default(),
            Some(query) => Self::read(query)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scim::ScimType;
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_in_the_encodings_that_clients_use() {
        for (query, expected) in [
            ("filter=userName+eq+%22a.b%40example.co.uk%22", "userName eq \"a.b@example.co.uk\""),
            ("filter=userName%20eq%20%22a%2Bb%22", "userName eq \"a+b\""),
            ("filter=userName+eq+\"UHYY\"", "userName eq \"UHYY\""),
            ("excludedAttributes=members&filter=displayName+eq+\"X\"", "displayName eq \"X\""),
            ("Filter=a%2525", "a%25"),
            ("aadOptscim062020&x=1&&filter=a=b", "a=b"),
            // SF-18: what is encoded twice is decoded once.
            ("filter=userName%2520eq%2520%2522x%2522", "userName%20eq%20%22x%22"),
        ] {
            assert_eq!(Parameters::read(query).unwrap().filter.as_deref(), Some(expected), "{query}");
        }
    }

    #[test]
    fn what_is_refused() {
        // SF-20: neither the first nor the last of two is taken.
        for query in [
            "filter=a&filter=b",
            "cursor&cursor=x",
            "sortBy=a&SORTBY=b",
            "sortOrder=ascending&sortorder=ascending",
            "count=1&Count=2",
            "filter=%ff",
            "filter=%00",
            "startIndex=1&startIndex=1",
        ] {
            assert!(Parameters::read(query).is_err(), "{query}");
        }
        assert_eq!(Parameters::read("").unwrap(), Parameters::default());
    }

    #[test]
    fn a_search_by_post_is_the_same_query() {
        let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
        for (message, query) in [
            (
                json!({ "filter": "a eq \"+\"", "startIndex": 2, "count": "3" }),
                "filter=a eq \"%2B\"&startIndex=2&count=3",
            ),
            (json!({ "Attributes": ["a", "b.c"], "sortBy": "x" }), "attributes=a,b.c&sortBy=x"),
            (json!({ "cursor": "", "sortOrder": "descending", "count": 5 }), "cursor&count=5&sortorder=descending"),
            (
                json!({ "excludedAttributes": "a,b", "filter": null, "attributes": [] }),
                "excludedAttributes=a,b&attributes=",
            ),
        ] {
            let mut message = message;
            message["schemas"] = schemas.clone();
            assert_eq!(Parameters::of_search(message).unwrap(), Parameters::read(query).unwrap(), "{query}");
        }
        for (message, expected) in [
            (json!([]), ScimType::InvalidSyntax),
            (json!({ "filter": "a pr" }), ScimType::InvalidSyntax),
            (json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] }), ScimType::InvalidSyntax),
            (json!({ "schemas": schemas.clone(), "filter": ["a pr"] }), ScimType::InvalidValue),
            (json!({ "schemas": schemas.clone(), "attributes": [1] }), ScimType::InvalidValue),
            (json!({ "schemas": schemas.clone(), "filter": "a pr", "Filter": "b pr" }), ScimType::InvalidValue),
            (json!({ "schemas": schemas, "count": true }), ScimType::InvalidValue),
        ] {
            assert_eq!(Parameters::of_search(message.clone()).unwrap_err().scim_type, expected, "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_query_string_panics(query in "\\PC*") {
            drop(Parameters::read(&query));
        }
    }
}
