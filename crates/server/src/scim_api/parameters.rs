//! Query parameters (RFC 7644 §3.4.2, §3.9), decoded once: `+` and `%20` are blanks, names are known in any case.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use provider::Paging;
use scim::{Projection, ScimError};

use super::Rejection;
use crate::App;

/// The parameters that mean something; others are ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) filter: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
}

impl Parameters {
    pub(crate) fn read(query: &str) -> Result<Self, ScimError> {
        let mut parameters = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if let Some(place) = parameters.place(&name) {
                if place.is_some() {
                    return Err(ScimError::invalid_value(format!("{} is given twice", name.to_ascii_lowercase())));
                }
                *place = Some(decode(value)?);
            }
        }
        Ok(parameters)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name.to_ascii_lowercase().as_str() {
            "filter" => Some(&mut self.filter),
            "attributes" => Some(&mut self.attributes),
            "excludedattributes" => Some(&mut self.excluded_attributes),
            "startindex" => Some(&mut self.start_index),
            "count" => Some(&mut self.count),
            _ => None,
        }
    }

    pub(crate) fn projection(&self) -> Result<Projection, ScimError> {
        Projection::read(self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    pub(crate) fn paging(&self) -> Result<Paging, ScimError> {
        Paging::read(self.start_index.as_deref(), self.count.as_deref())
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
        ] {
            assert_eq!(Parameters::read(query).unwrap().filter.as_deref(), Some(expected), "{query}");
        }
    }

    #[test]
    fn what_is_refused() {
        for query in ["filter=a&filter=b", "count=1&Count=2", "filter=%ff", "filter=%00", "startIndex=1&startIndex=1"] {
            assert!(Parameters::read(query).is_err(), "{query}");
        }
        assert_eq!(Parameters::read("").unwrap(), Parameters::default());
    }

    proptest! {
        #[test]
        fn no_query_string_panics(query in "\\PC*") {
            drop(Parameters::read(&query));
        }
    }
}
