//! What lines tell, and what they do not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn what_has_the_form_of_a_secret_is_told_nowhere() {
    let digits = "a-_B".repeat(11);
    let (whole, masked, short) = (&digits[..43], "*".repeat(43), &digits[..42]);
    for (line, expected) in [
        (format!("{{\"path\":\"/Users?sortBy=lst_{whole}\"}}"), format!("{{\"path\":\"/Users?sortBy=lst_{masked}\"}}")),
        (format!("lsa_{whole} lsc_{whole}"), format!("lsa_{masked} lsc_{masked}")),
        (format!("lslst_{whole}"), format!("lslst_{masked}")),
        (format!("lst_{short}"), format!("lst_{short}")),
        (format!("lsk_{whole}"), format!("lsk_{whole}")),
        ("ls".to_owned(), "ls".to_owned()),
    ] {
        let mut text = line.clone().into_bytes();
        secrets(&mut text);
        assert_eq!(String::from_utf8(text).unwrap(), expected, "{line}");
    }
}

fn told(path: &str) -> String {
    let mut text = Vec::new();
    let names = Names { tenant: "a", profile: None, own: Some("/api/x") };
    address(&path.parse().unwrap(), names, &mut text);
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn a_secret_across_the_end_of_a_long_address_is_masked_as_any_other() {
    let token = format!("lst_{}", "A".repeat(43));
    for before in ADDRESS_BYTES_MAX - 60..ADDRESS_BYTES_MAX + 5 {
        let path = format!("/x?attributes={}{token}{}", "a".repeat(before - "/x?attributes=".len()), "b".repeat(100));
        let told = told(&path);
        assert!(!told.contains("AA"), "{before}: {told}");
        assert!(told.len() <= ADDRESS_BYTES_MAX + '…'.len_utf8() && told.ends_with('…'), "{before}: {told}");
    }
}

/// AU-12.
#[test]
fn addresses_tell_no_secret_and_no_person() {
    const ID: &str = "/t/a/scim/v2/Users/01890a5d-ac96-774b-bcce-b302099a8057";
    let token = format!("lst_{}", "A".repeat(43));
    for (path, expected) in [
        (ID.to_owned(), ID),
        ("/t/a/scim/v2/Users?startIndex=1&count=100".to_owned(), "/t/a/scim/v2/Users?startIndex=1&count=100"),
        (format!("/t/a/scim/v2/Users?access_token={token}&Token=x"), "/t/a/scim/v2/Users?access_token=***&Token=***"),
        (format!("/t/a/scim/v2/{token}/Users"), "/t/a/scim/v2/***/Users"),
        ("/t/a/scim/v2/Users/ann@contoso.example".to_owned(), "/t/a/scim/v2/Users/***"),
        ("/t/a/scim/v2/Users/Ann%20B".to_owned(), "/t/a/scim/v2/Users/***"),
        ("/x?filter=userName+eq+%22ann%40contoso.example%22".to_owned(), "/x?filter=userName eq \"***\""),
        ("/x?filter=userName%20eq%20ann".to_owned(), "/x?filter=userName eq ***"),
        (
            "/x?filter=emails%5Btype+eq+%22work%22+and+value+co+%22a%5C%22nn%22%5D.value+pr".to_owned(),
            "/x?filter=emails[type eq \"work\" and value co \"***\"].value pr",
        ),
        ("/x?filter=active+eq+true+and+(title+pr)".to_owned(), "/x?filter=active eq true and (title pr)"),
        ("/x?filter=%22ann".to_owned(), "/x?filter=***"),
        ("/x?ann%40contoso.example".to_owned(), "/x?***"),
    ] {
        assert_eq!(told(&path), expected, "{path}");
    }
    assert!(has_credential(&format!("/x?a=b&ACCESS_TOKEN={token}").parse().unwrap()));
    assert!(has_credential(&format!("/{token}/x").parse().unwrap()));
    assert!(has_credential(&format!("/{}/x", token.replace("lst_", "lsa_")).parse().unwrap()));
    assert!(!has_credential(&"/x?filter=token".parse().unwrap()));
}

/// SH-11.
#[test]
fn no_address_is_longer_than_allowed() {
    for path in [format!("/x?attributes={}", "y".repeat(9999)), "/a".repeat(9999), format!("/x?{}", "a&".repeat(9999))]
    {
        assert!(told(&path).len() <= ADDRESS_BYTES_MAX + '…'.len_utf8());
    }
}

#[test]
fn bodies_tell_what_is_done_and_not_to_whom() {
    for (sent, expected) in [
        (
            r#"{"schemas":["urn:x"],"id":"1","userName":"ann","active":true,"name":{"familyName":"B"},"emails":[{"type":"work","value":"a@b"}],"password":"p","age":7}"#,
            r#"{"schemas":["urn:x"],"id":"1","userName":"***","active":true,"name":{"familyName":"***"},"emails":[{"type":"***","value":"***"}],"password":"***","age":"***"}"#,
        ),
        (
            r#"{"Operations":[{"op":"replace","path":"emails[value eq \"a@b\"].value","value":"c"},{"op":"add","value":{"emails[type eq \"work\"].value":"d","a eq \"b\"":null}}]}"#,
            r#"{"Operations":[{"op":"replace","path":"emails[value eq \"***\"].value","value":"***"},{"op":"add","value":{"emails[type eq \"work\"].value":"***","***":null}}]}"#,
        ),
        (
            r#"{"totalResults":2,"members":[{"value":"01890a5d-ac96-774b-bcce-b302099a8057","display":"Ann"}]}"#,
            r#"{"totalResults":2,"members":[{"value":"01890a5d-ac96-774b-bcce-b302099a8057","display":"***"}]}"#,
        ),
        (
            r#"{"password":"01890a5d-ac96-774b-bcce-b302099a8057","Operations":[{"path":"urn:x:password","VALUE":"01890a5d-ac96-774b-bcce-b302099a8057"}]}"#,
            r#"{"password":"***","Operations":[{"path":"urn:x:password"}]}"#,
        ),
        ("not json", r#""bytes: 8""#),
        ("-", r#""bytes: 1""#),
        (r#""secret""#, r#""***""#),
    ] {
        let mut text = Vec::new();
        body(sent.as_bytes(), Names::default(), &mut text);
        let (text, expected): (Value, Value) =
            (serde_json::from_slice(&text).unwrap(), serde_json::from_str(expected).unwrap());
        assert_eq!(text, expected);
    }
    let mut text = Vec::new();
    body(&vec![b'1'; super::super::LOGGED_BODY_BYTES_MAX + 1], Names::default(), &mut text);
    assert_eq!(text, b"\"bytes: 65537\"");
}

/// OP-05.
#[test]
fn what_has_not_the_form_of_its_place_is_told_nowhere() {
    for (path, expected) in [
        ("~/Users?attributes=emails[value+eq+%22peter@x%22],name", "~/Users?attributes=emails[value eq \"***\"],name"),
        (
            "~/Users?excludedAttributes=emails%5Bvalue%20co%20peter%5D",
            "~/Users?excludedAttributes=emails[value co ***]",
        ),
        ("~/Users?attributes=peter@x", "~/Users?attributes=***"),
        ("~/Users?attributes=urn:x:peter@x:y", "~/Users?attributes=***"),
        ("~/Users?attributes=Peter+Smith", "~/Users?attributes=***"),
        ("~/Users?filter=displayName+eq+Peter+Smith", "~/Users?filter=***"),
        ("~/Users?filter=userName+==+peter@x", "~/Users?filter=***"),
        ("~/Users?filter=displayName+eq+%22Peter+%22Pan%22+Smith%22", "~/Users?filter=***"),
        ("~/Users?filter=userName+eq+'peter+smith@x'", "~/Users?filter=***"),
        ("~/Users?filter=peter@secret.example", "~/Users?filter=***"),
        ("~/Users?filter=userName+eq+peter%C2%A0smith", "~/Users?filter=userName eq ***"),
        ("~/Users?filter=emails[type+eq+%22Peter%22]", "~/Users?filter=emails[type eq \"***\"]"),
        ("~/Users?filter=urn:x:peter@x:y+pr", "~/Users?filter=*** pr"),
        ("~/Users?sortBy=name.familyName&sortOrder=Descending", "~/Users?sortBy=name.familyName&sortOrder=Descending"),
        ("~/Users?sortBy=peter@x&sortOrder=peter", "~/Users?sortBy=***&sortOrder=***"),
        ("~/Users?sortBy=emails[value+eq+x]", "~/Users?sortBy=***"),
        ("~/Users?startIndex=peter&count=1x", "~/Users?startIndex=***&count=***"),
        ("~/Users?startIndex=-1&count=", "~/Users?startIndex=-1&count="),
        ("~/Users?api-version=peter&peter.smith=1", "~/Users?api-version=***&***"),
        ("~/Peter", "~/***"),
        ("~/Users/peter", "~/Users/***"),
        ("~/Users/.SEARCH/", "~/Users/.SEARCH/"),
        ("~/users/01890a5d-ac96-774b-bcce-b302099a8057.scim", "~/users/01890a5d-ac96-774b-bcce-b302099a8057.scim"),
        ("~/Schemas/urn%3Ax:y", "~/Schemas/urn%3Ax:y"),
        ("~/Schemas/urn:x:peter@x", "~/Schemas/***"),
        ("~/Users/urn:x:y", "~/Users/***"),
        ("~/ResourceTypes/User", "~/ResourceTypes/User"),
        ("~/ResourceTypes/Peter", "~/ResourceTypes/***"),
        ("~/https://peter.example/t/a/scim/v2/Users", "~/https://***/t/a/scim/v2/Users"),
        ("/api/x/Groups/peter", "/api/x/Groups/***"),
        ("/t/peter/scim/v2/Me", "/t/***/scim/v2/Me"),
    ] {
        let whole = |path: &str| path.replacen('~', "/t/a/scim/v2", 1);
        assert_eq!(told(&whole(path)), whole(expected), "{path}");
    }
    for (sent, expected) in [("GET", "GET"), ("PATCH", "PATCH"), ("PETER", "***"), ("get", "***")] {
        assert_eq!(method(&sent.parse().unwrap()), expected);
    }
}

/// OP-05.
#[test]
fn bodies_tell_no_values_in_the_places_of_words() {
    for (sent, expected) in [
        (
            json!({ "meta": { "location": "https://h/t/a/scim/v2/Users/peter", "resourceType": "Peter", "version": "W/\"7-ab\"" } }),
            json!({ "meta": { "location": "https://***/t/a/scim/v2/Users/***", "resourceType": "***", "version": "W/\"7-ab\"" } }),
        ),
        (
            json!({ "meta": { "created": "2026-01-31T08:00:00Z", "lastModified": "peter", "version": "peter" } }),
            json!({ "meta": { "created": "2026-01-31T08:00:00Z", "lastModified": "***", "version": "***" } }),
        ),
        (
            json!({ "$ref": "../Users/01890a5d-ac96-774b-bcce-b302099a8057" }),
            json!({ "$ref": "../Users/01890a5d-ac96-774b-bcce-b302099a8057" }),
        ),
        (json!({ "op": "Peter", "path": "peter@x" }), json!({ "op": "***", "path": "***" })),
        (json!({ "op": "Add", "path": "emails[value eq \"a\"" }), json!({ "op": "Add", "path": "***" })),
        (
            json!({ "method": "peter", "path": "/Users/peter", "bulkId": "peter@x" }),
            json!({ "method": "***", "path": "/Users/***", "bulkId": "***" }),
        ),
        (
            json!({ "method": "put", "path": "/Users/bulkId:q-1", "bulkId": "q-1" }),
            json!({ "method": "put", "path": "/Users/bulkId:q-1", "bulkId": "q-1" }),
        ),
        (json!({ "path": "/Users/bulkId:p@x", "id": "peter" }), json!({ "path": "/Users/bulkId:***", "id": "peter" })),
        (
            json!({ "attributes": ["emails[value eq \"p@x\"]", "p@x"], "filter": "p@x", "sortBy": "p@x", "sortOrder": "p" }),
            json!({ "attributes": ["emails[value eq \"***\"]", "***"], "filter": "***", "sortBy": "***", "sortOrder": "***" }),
        ),
        (json!({ "peter@x": 1,  "urn:x:y": {}, "$ref": null }), json!({ "***": "***", "urn:x:y": {}, "$ref": null })),
        (
            json!({ "schemas": ["urn:x:y", "peter@x"], "scimType": "peter", "status": "peter" }),
            json!({ "schemas": ["urn:x:y", "***"], "scimType": "***", "status": "***" }),
        ),
        (
            json!({ "schemas": [ERROR_URN], "detail": "'peter@x' is no path of a resource, such as /Users", "scimType": "invalidPath", "status": "400" }),
            json!({ "schemas": [ERROR_URN], "detail": "'***' is no path of a resource, such as /Users", "scimType": "invalidPath", "status": "400" }),
        ),
        (
            json!({ "schemas": [ERROR_URN], "detail": "'a' peter 'b' is wrong" }),
            json!({ "schemas": [ERROR_URN], "detail": "'***' is wrong" }),
        ),
        (
            json!({ "detail": "Ann lives there", "addresses": [{ "id": "ann@x 7", "detail": "flat 3" }] }),
            json!({ "detail": "***", "addresses": [{ "id": "***", "detail": "***" }] }),
        ),
        (
            json!({ "schemas": [ERROR_URN], "detail": "the tenant's 'userName' is taken" }),
            json!({ "schemas": [ERROR_URN], "detail": "the tenant's 'userName' is taken" }),
        ),
    ] {
        let mut text = Vec::new();
        body(sent.to_string().as_bytes(), Names { tenant: "a", ..Names::default() }, &mut text);
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), expected, "{sent}");
    }
}

proptest! {
    #[test]
    fn what_is_quoted_in_a_filter_is_never_told(before in "[a-z \\[\\]()]{0,9}", secret in "[A-Z]{5,9}Q", after in "[ a-z)\\]]{0,9}") {
        for place in ["filter", "attributes", "sortBy", "path", "detail", "peter"] {
            let (quoted, text) = (format!("{before}\"{secret}\"{after}"), &mut Vec::new());
            body(json!({ "schemas": [ERROR_URN], place: quoted, quoted: 1 }).to_string().as_bytes(), Names::default(), text);
            prop_assert!(!String::from_utf8_lossy(text).contains(&secret), "{}", String::from_utf8_lossy(text));
        }
    }
}
