//! The bodies of answers (RFC 7644 §3.4.2, §3.12). Which status and headers go with them is the server's.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{ERROR_URN, LIST_RESPONSE_URN, ScimError};

/// One page of resources (RFC 7644 §3.4.2, RFC 9865 §2). Resources are written as they are; [`RawValue`] lets stored documents through unparsed.
///
/// ```
/// use scim::ListResponse;
/// use serde_json::json;
///
/// let page = ListResponse::new(12, 1, vec![json!({ "id": "a1", "userName": "ada" })]);
/// let body = serde_json::to_value(&page)?;
/// assert_eq!((&body["totalResults"], &body["itemsPerPage"]), (&json!(12), &json!(1)));
///
/// let read: ListResponse<serde_json::Value> = serde_json::from_value(body)?;
/// assert_eq!(read.resources[0]["userName"], "ada");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListResponse<T = Box<RawValue>> {
    /// The message's URN.
    #[serde(default)]
    pub schemas: Vec<String>,
    /// How many resources match in all.
    pub total_results: u64,
    /// The number of the first resource on this page, from 1.
    #[serde(default = "first")]
    pub start_index: u64,
    /// How many resources are on this page.
    #[serde(default)]
    pub items_per_page: u64,
    /// What asks for the next page (RFC 9865 §2); `None` on the last one, and where pages are by index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What asks for the page before; `None` on the first one, and where pages are by index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_cursor: Option<String>,
    /// The page; present also when it is empty, because clients expect it.
    #[serde(rename = "Resources", default = "Vec::new")]
    pub resources: Vec<T>,
}

fn first() -> u64 {
    1
}

impl<T> ListResponse<T> {
    /// A page that starts at `start_index` of `total_results` matches.
    pub fn new(total_results: u64, start_index: u64, resources: Vec<T>) -> Self {
        let items_per_page = resources.len() as u64;
        Self {
            schemas: vec![LIST_RESPONSE_URN.to_owned()],
            total_results,
            start_index,
            items_per_page,
            next_cursor: None,
            previous_cursor: None,
            resources,
        }
    }
}

/// The body of an error (RFC 7644 §3.12).
///
/// ```
/// use scim::{ErrorBody, ScimError};
///
/// let body = ErrorBody::from(&ScimError::uniqueness("userName is taken"));
/// assert_eq!((body.status.as_str(), body.scim_type.as_deref()), ("409", Some("uniqueness")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorBody {
    /// The message's URN.
    #[serde(default)]
    pub schemas: Vec<String>,
    /// The HTTP status, as text.
    pub status: String,
    /// The keyword, where the RFC has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl ErrorBody {
    /// An error without keyword.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            schemas: vec![ERROR_URN.to_owned()],
            status: status.to_string(),
            scim_type: None,
            detail: Some(detail.into()),
        }
    }

    /// An error of the protocol, with the status of the answer that it goes into.
    pub fn of(status: u16, error: &ScimError) -> Self {
        Self { scim_type: Some(error.scim_type.as_str().to_owned()), ..Self::new(status, error.detail.as_str()) }
    }
}

impl From<&ScimError> for ErrorBody {
    fn from(error: &ScimError) -> Self {
        Self::of(error.scim_type.status(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_page_still_has_resources() {
        insta::assert_snapshot!(serde_json::to_string(&ListResponse::<Box<RawValue>>::new(0, 1, Vec::new())).unwrap(),
            @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}"#);
    }

    #[test]
    fn stored_documents_pass_unparsed() {
        let stored = RawValue::from_string(r#"{ "id" : "1" }"#.to_owned()).unwrap();
        assert!(serde_json::to_string(&ListResponse::new(1, 1, vec![stored])).unwrap().contains(r#"[{ "id" : "1" }]"#));
    }

    #[test]
    fn an_error_has_its_status_as_text() {
        insta::assert_snapshot!(serde_json::to_string(&ErrorBody::of(400, &ScimError::no_target("gone"))).unwrap(),
            @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"noTarget","detail":"gone"}"#);
    }
}
