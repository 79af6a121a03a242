//! Files of which something cannot be read: what can be is validated as well, so that everything is told at once.

use provisioning::JobError;
use provisioning::configuration::{BadConfiguration, ConfigurationFile, GivenMappings};

use crate::fake_target::Nature;
use crate::world::{World, on_both};

/// Mappings in which something of each kind cannot be read, and something of each kind is wrong beside it.
const MAPPINGS: &str = r#"[[mappings]]
sourceObject = "User"
targetObject = "User"
attributes = [
  { target = "userName", source = 'ToLowr([userPrincipalName])', matchingPriority = 1, required = true },
  { target = "active", source = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
  { target = "title", source = "[jobTitel]" },
  { target = "locale", sorce = "[preferredLanguage]", matchingPriority = 2 },
  { target = "nickName", source = "Now()", flowType = "Never" },
  { target = "urn:", source = "[city]" },
  { target = "a b", source = "[city]" },
]
targetAttributes = [
  { name = "title", type = "Text" },
  { name = "urn:x:User:code", type = "Integer", required = true },
]

[[mappings.scoping]]
name = "F"
clauses = [{ attribute = "employeeId", operator = "Greater_Than", value = "abc" }]

[[mappings.scoping]]
name = "G"
clauses = [
  { attribute = "departmnt", operator = "IS NULL" },
]

[[mappings]]
sourceObject = "Group"
targetObject = "Group"
attributes = [{ target = "externalId", source = "[objectId]" }]
"#;

fn lines(told: &BadConfiguration) -> String {
    told.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refused<T>(told: Result<T, JobError>) -> String {
    match told.err().expect("something is wrong") {
        JobError::Configuration(bad) => lines(&bad),
        other => panic!("{other}"),
    }
}

async fn proposed(world: &World, text: &str) -> String {
    refused(world.engine().propose(&ConfigurationFile::read(text).expect("it is TOML")).await)
}

#[test]
fn everything_is_told_at_once_and_at_its_place() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let text = format!("name = \"scim\"\ntemplate = \"scim\"\n{MAPPINGS}");
        let given = GivenMappings::read(&text).expect("it is TOML");
        let of_mappings = refused(world.engine().check_given(job.app, given).await);
        insta::assert_snapshot!(of_mappings, @r#"
line 7, column 35: there is no function `ToLowr`, at character 1; did you mean `ToLower`?
    ToLowr([userPrincipalName])
    ^
line 9, column 3: the mapping of `title` reads `jobTitel`, which is not an attribute of users; did you mean `jobTitle`?
line 10, column 24: `sorce` is not a key of an attribute mapping; did you mean `source`?
line 11, column 55: `flowType` of an attribute mapping cannot have `Never`; there are Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly, AttributeAddOnly
line 12, column 3: the target attribute `urn:` is not understood: expected an attribute at byte 1
line 13, column 3: the target attribute `a b` is not understood: unexpected text at byte 3
line 16, column 28: `type` of an entry of targetAttributes cannot have `Text`; there are String, Integer, Reference, Binary, Boolean, DateTime
line 17, column 3: `urn:x:User:code` of users: the target requires it and no mapping writes it; map a source attribute to it, or a constant
line 22, column 75: `value` of clause 1 of the filter `F`: `employeeId Greater_Than` needs a whole number, such as 1000
line 27, column 3: the scoping filter `G` reads `departmnt`, which is not an attribute of users; did you mean `department`?
line 30, column 1: the mapping of groups: no attribute mapping matches objects; give one a matching priority of 1
line 30, column 1: `displayName` of groups: the target requires it and no mapping writes it; map a source attribute to it, or a constant
"#);
        assert_eq!(proposed(&world, &text).await, of_mappings, "the file of a job tells the same");
        let misspelt = text.replace("template = \"scim\"", "template = \"scimm\"");
        assert!(proposed(&world, &misspelt).await.ends_with(&of_mappings), "{misspelt}");
    });
}

#[test]
fn mappings_that_cannot_be_read_at_all_are_not_missing() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        for (wrong, words) in [
            ("sourceObject = \"Usr\"\ntargetObject = \"Usr\"\n", "`Usr`"),
            ("sourceObject = \"User\"\n", "has no `targetObject`"),
            ("sourceObject = \"User\"\ntargetObject = \"User\"\natributes = []\n", "did you mean `attributes`?"),
        ] {
            let text = format!("name = \"scim\"\ntemplate = \"scim\"\n[[mappings]]\n{wrong}");
            let text = if wrong.contains("atributes") { text } else { format!("{text}attributes = []\n") };
            let told = proposed(&world, &text).await;
            assert!(told.contains(words), "{told}");
            for missing in ["no mapping of users", "no attribute mapping matches", "no mapping writes it"] {
                let is_known = wrong.starts_with("sourceObject = \"User\"\n") && !wrong.contains("atributes");
                assert!(is_known || !told.contains(missing), "{told}");
            }
        }
        assert!(world.engine().job(job.app).await.is_ok());
    });
}

#[test]
fn settings_that_cannot_be_read_are_not_held_against_others() {
    on_both(|world| async move {
        world.job("scim", Nature::default()).await;
        let of = |settings: &str| format!("name = \"scim\"\ntemplate = \"scim\"\n{settings}");
        let wrong = of("requestTimeoutSeconds = \"x\"\nsettleSeconds = 40\nconcurrency = 0\n");
        assert_eq!(
            proposed(&world, &wrong).await,
            "line 3, column 25: `requestTimeoutSeconds` cannot be the text \"x\"; it must be a whole number, not negative, without quotation marks\n\
             line 5, column 15: the concurrency must be from 1 to 256"
        );
        assert_eq!(
            proposed(&world, &of("settleSeconds = 40\n")).await,
            "line 3, column 17: the settle window of 40 s must be at least twice the request timeout of 30 s"
        );
        let no_address = proposed(&world, "name = \"New\"\ntemplate = \"scim\"\ntenantUrl = 5\n").await;
        assert!(no_address.starts_with("line 3, column 13: `tenantUrl`") && !no_address.contains('\n'), "{no_address}");
    });
}

#[test]
fn mappings_that_can_be_read_are_told_of_at_their_places_too() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let text = r#"[{ "sourceObject": "User", "targetObject": "User", "attributes": [
  { "target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1, "required": true },
  { "target": "title", "source": "[jobTitel]" } ],
 "targetAttributes": [ { "name": "urn:x:User:code", "required": true } ] }]"#;
        let check = |text: &str| {
            let (engine, given) = (world.engine(), GivenMappings::read(text).expect("it is JSON"));
            async move { engine.check_given(job.app, given).await }
        };
        assert_eq!(
            refused(check(text).await),
            "line 3, column 3: the mapping of `title` reads `jobTitel`, which is not an attribute of users; did you mean `jobTitle`?\n\
             line 4, column 24: `urn:x:User:code` of users: the target requires it and no mapping writes it; map a source attribute to it, or a constant"
        );
        let good = text.replace("jobTitel", "jobTitle").replace(", \"required\": true } ] }]", " } ] }]");
        assert_eq!(check(&good).await.expect("nothing is wrong")[0].attributes.len(), 2);
    });
}
