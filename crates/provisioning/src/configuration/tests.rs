//! The file says all of a job and nothing else; what is wrong with one is told at its place.

use std::collections::BTreeSet;

use mapping::schema::{AttributeDefinition, AttributeType};
use mapping::{AttributeMapping, Clause, FilterGroup, FilterOperator, FlowType, FlowTypes, ObjectType, RegexMode};
use proptest::prelude::*;

use super::*;

fn job(template: &str) -> JobConfiguration {
    let known = Template::by_name(template).unwrap();
    JobConfiguration {
        name: "CRM".to_owned(),
        template: template.to_owned(),
        tenant_url: Some("https://crm.example/scim".to_owned()),
        on: Some(true),
        settings: PlainSettings::default_of(known),
        roles: Some(vec!["Admin".to_owned()]),
        objects: Some(known.objects.clone()),
        users: Some(vec![AssignmentRow { name: Some("ada@contoso.example".to_owned()), id: None, role: None }]),
        groups: Some(Vec::new()),
    }
}

#[test]
fn the_file_is_one_that_people_read() {
    let mut job = job("storegate");
    job.settings.interval_seconds = 600;
    let users = &mut job.objects.as_mut().unwrap()[0];
    users.flow_types = FlowTypes { delete: false, ..FlowTypes::default() };
    let clause =
        Clause::new("department", FilterOperator::Equals, Some("Sales".to_owned()), RegexMode::Search).unwrap();
    users.scoping.0.push(FilterGroup { name: "Only sales".to_owned(), clauses: vec![clause] });
    job.users.as_mut().unwrap()[0].role = Some("Admin".to_owned());
    let text = job.to_toml();
    assert!(text.starts_with(JobConfiguration::HEAD));
    insta::assert_snapshot!(text.trim_start_matches(JobConfiguration::HEAD), @r#"
name = "CRM"
template = "storegate"
tenantUrl = "https://crm.example/scim"
status = "on"
intervalSeconds = 600
roles = ["Admin"]

[[mappings]]
sourceObject = "User"
targetObject = "User"
flowTypes = ["Add", "Update"]
attributes = [
  { target = "userName", source = "[userPrincipalName]", matchingPriority = 1, required = true },
  { target = "active", source = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
  { target = "preferredLanguage", source = "[preferredLanguage]" },
  { target = "name.givenName", source = "[givenName]" },
  { target = "name.familyName", source = "[surname]" },
]

[[mappings.scoping]]
name = "Only sales"
clauses = [
  { attribute = "department", operator = "EQUALS", value = "Sales" },
]

[assignments]
users = [
  { name = "ada@contoso.example", role = "Admin" },
]
groups = []
"#);
}

#[test]
fn every_template_comes_back() {
    for template in Template::all() {
        let job = job(&template.name);
        assert_eq!(ConfigurationFile::parse(&job.to_toml()).unwrap().wanted, job, "{}", template.name);
    }
}

#[test]
fn what_a_file_leaves_out_has_its_default_or_stays() {
    let file = ConfigurationFile::parse("name = \"CRM\"\ntemplate = \"netskope\"\n").unwrap();
    let netskope = Template::by_name("netskope").unwrap();
    let expected = JobConfiguration {
        tenant_url: None,
        on: None,
        roles: None,
        objects: None,
        users: None,
        groups: None,
        ..job("netskope")
    };
    assert_eq!(file.wanted, expected);
    assert!(netskope.exclude_default_access && file.wanted.settings.exclude_default_access);
    let only_users = ConfigurationFile::parse("name = \"CRM\"\ntemplate = \"scim\"\nassignments.users = []\n").unwrap();
    assert_eq!((only_users.wanted.users, only_users.wanted.groups), (Some(Vec::new()), None));
}

/// How long reading takes is not asked: where the size of a file counted twice, this would not end.
#[test]
fn what_is_far_too_much_is_told_soon() {
    let many = |row: &str, count: usize| vec![row; count].join(",");
    let keys = |count: usize| (0..count).map(|key| format!("\"k{key}\":1")).collect::<Vec<_>>().join(",");
    let mapping = |attributes: &str| {
        format!("[{{\"sourceObject\":\"User\",\"targetObject\":\"User\",\"attributes\":[{attributes}]}}]")
    };
    let told = |text: &str| mappings_of(text).unwrap_err().0;
    let rows = told(&mapping(&many("{\"target\":\"a\"}", 600_000)));
    assert_eq!(rows[0].what, "`attributes` has 600000 rows, at most 10000 are allowed");
    assert_eq!(rows[0].place, Some(Place { line: 1, column: 60 }));
    let wide = told(&mapping(&format!("{{{}}}", keys(300_000))));
    assert_eq!(wide[0].what, "an attribute mapping has 300000 keys, at most 256 are allowed");
    let wrong = told(&mapping(&many("{\"target\":1,\"flowType\":2}", 10_000)));
    assert_eq!(wrong.len(), PROBLEMS_TOLD_MAX + 1);
    assert_eq!(wrong[PROBLEMS_TOLD_MAX].what, "and at least 900 more");
    let long = told(&mapping(&format!("{{\"target\":\"a\",\"flowType\":\"{}\"}}", "é".repeat(4_000_000))));
    assert!(long.len() == 1 && long[0].what.len() < 2_000, "{}", long[0].what.len());
    let twice = keys_given_twice(&format!("{{{}}}", many("\"a\":1", 1_000_000)));
    assert_eq!(twice.len(), PROBLEMS_TOLD_MAX + 1);
}

fn problems(text: &str) -> Vec<String> {
    ConfigurationFile::parse(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn every_problem_is_told_at_once_and_at_its_place() {
    let text = r#"name = "CRM"
template = "scimm"
scope = "everyone"
intervalSecond = 60
concurrency = "64"
roles = ["A", "A"]

[[mappings]]
sourceObject = "User"
targetObject = "User"
enable = true
attributes = [
  { target = "userName", source = "[userPrincipalName]", matchingPriority = 1 },
  { target = "title", source = 'ToUper([jobTitle])' },
  { target = "nickName", sorce = "[mailNickname]", flowtype = "Always" },
  { target = "locale", source = "[x]", flowType = "Alway" },
  { target = "x", source = "[y]", matchingPriority = -1 },
]

[[mappings.scoping]]
name = "Only sales"
clauses = [
  { attribute = "department", operator = "EQUAL", value = "Sales" },
  { attribute = "department", operator = "EQUALS" },
]

[assignments]
user = []
groups = [
  { id = "x" },
  { role = "A" },
]
"#;
    insta::assert_snapshot!(problems(text).join("\n"), @r#"
line 2, column 12: no gallery template is named `scimm`; did you mean `scim`?
line 3, column 9: `scope` cannot have `everyone`; there are assigned, all
line 4, column 1: `intervalSecond` is not a key of this file; did you mean `intervalSeconds`?
line 5, column 15: `concurrency` cannot be the text "64"; it must be a whole number, not negative, without quotation marks
line 6, column 9: the role "A" is there twice
line 11, column 1: `enable` is not a key of a mapping; did you mean `enabled`?
line 14, column 32: there is no function `ToUper`, at character 1; did you mean `ToUpper`?
    ToUper([jobTitle])
    ^
line 15, column 26: `sorce` is not a key of an attribute mapping; did you mean `source`?
line 15, column 52: `flowtype` is not a key of an attribute mapping; did you mean `flowType`?
line 16, column 51: `flowType` of an attribute mapping cannot have `Alway`; did you mean `Always`?
line 17, column 54: `matchingPriority` of an attribute mapping cannot be the number `-1`; it must be a whole number, not negative, without quotation marks
line 23, column 42: `operator` of clause 1 of the filter `Only sales`: there is no operator `EQUAL`; did you mean `EQUALS`?
line 24, column 3: clause 2 of the filter `Only sales`: `department EQUALS` needs a value
line 28, column 1: `user` is not a key of assignments; did you mean `users`?
line 30, column 3: the `id` of an assignment must be an object id
line 31, column 3: an assignment needs the `name` or the `id` of whom it is for
"#);
}

#[test]
fn json_is_told_once_with_where_to_take_it() {
    for text in ["{\n  \"synchronizationRules\": []\n}", "[\n  { \"attributes\": [] }\n]"] {
        let told = problems(text);
        assert!(
            told.len() == 1 && told[0].contains("this is JSON") && told[0].contains("lockstep schema convert"),
            "{told:?}"
        );
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    for (text, expected) in [
        ("name = CRM\n", "line 1, column 8: this is no TOML: "),
        ("name = \"CRM\"\nname = \"CRM\"\n", "line 2, column 1: this is no TOML: "),
        ("\n[mappings\n", "line 2, column 10: this is no TOML: "),
        ("template = \"scim\"\n", "`name` is missing; it is the display name of the application"),
    ] {
        let told = problems(text).join("\n");
        assert!(told.contains(expected), "{text}: {told}");
    }
    let long = " ".repeat(usize::try_from(CONFIGURATION_BYTES_MAX).unwrap() + 1);
    assert!(problems(&long)[0].contains("more than 16777216 bytes"));
    let many =
        format!("name = \"x\"\ntemplate = \"scim\"\n[assignments]\nusers = [{}]", "{},".repeat(ASSIGNMENTS_MAX + 1));
    assert!(problems(&many)[0].contains("at most 100000 are allowed"));
    let bad = format!("name = \"x\"\ntemplate = \"scim\"\n[assignments]\nusers = [{}]", "{},".repeat(200));
    assert_eq!((problems(&bad).len(), problems(&bad)[100].as_str()), (101, "and 100 more"));
}

#[test]
fn no_depth_of_a_file_is_too_much() {
    for nested in ["[".repeat(100_000), "{a=".repeat(100_000), format!("{}=1", "a.".repeat(50_000))] {
        assert!(ConfigurationFile::parse(&format!("name = {nested}")).is_err());
    }
}

fn mappings() -> impl Strategy<Value = AttributeMapping> {
    let sources = prop_oneof![
        Just(String::new()),
        Just("[mail]".to_owned()),
        Just(r#"Replace([a], "'", , , "\", , )"#.to_owned()),
        any::<String>().prop_map(|text| format!("\"{}\"", text.replace(['"', '\\'], ""))),
    ];
    let flow = prop_oneof![Just(FlowType::Always), Just(FlowType::ObjectAddOnly)];
    (any::<String>(), sources, any::<Option<String>>(), any::<u32>(), flow, any::<bool>()).prop_map(
        |(target, source, default_value, matching_priority, flow_type, required)| AttributeMapping {
            source: source.parse().unwrap_or_default(),
            default_value,
            matching_priority,
            flow_type,
            required,
            ..AttributeMapping::new(target.trim(), mapping::MappingSource::None)
        },
    )
}

fn filters() -> impl Strategy<Value = mapping::ScopingFilters> {
    let clause = ("[a-zA-Z ]{1,9}x", any::<String>(), any::<bool>()).prop_map(|(attribute, value, equals)| {
        let (operator, value) =
            if equals { (FilterOperator::Equals, Some(value)) } else { (FilterOperator::IsNull, None) };
        Clause::new(attribute, operator, value, RegexMode::Search).unwrap()
    });
    let group = (any::<String>(), prop::collection::vec(clause, 0..3))
        .prop_map(|(name, clauses)| FilterGroup { name, clauses });
    prop::collection::vec(group, 0..3).prop_map(mapping::ScopingFilters)
}

fn objects() -> impl Strategy<Value = ObjectMapping> {
    let definition =
        (any::<String>(), any::<bool>(), any::<Option<String>>()).prop_map(|(name, exact, default_value)| {
            let kind = if exact { AttributeType::Integer } else { AttributeType::String };
            AttributeDefinition { name, kind, case_exact: exact, default_value, ..AttributeDefinition::default() }
        });
    let lists = (prop::collection::vec(mappings(), 0..4), prop::collection::vec(definition, 0..3));
    let nulls = prop::collection::btree_set(any::<String>(), 0..3);
    let words = (any::<[bool; 3]>(), any::<[bool; 3]>());
    (words, lists, nulls, filters(), filters(), filters()).prop_map(
        |(
            ([is_user, enabled, is_extended], flow),
            (attributes, target_attributes),
            flow_null_values,
            scoping,
            input,
            category,
        )| {
            let object = if is_user { ObjectType::User } else { ObjectType::Group };
            ObjectMapping {
                source_object: object,
                target_object: object,
                enabled,
                flow_types: FlowTypes { create: flow[0], update: flow[1], delete: flow[2] },
                scoping,
                input_filters: input,
                category_filters: category,
                target_attributes,
                flow_null_values,
                extensions: is_extended,
                attributes,
            }
        },
    )
}

fn rows() -> impl Strategy<Value = Option<Vec<AssignmentRow>>> {
    let role = any::<Option<String>>();
    let row = (any::<String>(), any::<Option<u128>>(), role).prop_map(|(name, id, role)| AssignmentRow {
        name: Some(name),
        id: id.map(|id| ObjectId::from(uuid::Uuid::from_u128(id))),
        role,
    });
    prop::option::of(prop::collection::vec(row, 0..4))
}

fn configurations() -> impl Strategy<Value = JobConfiguration> {
    let roles = prop::option::of(prop::collection::btree_set("[a-zA-Z\"' ]{1,9}", 0..4));
    let words = ("[a-z\"'\\\\]{1,12}", any::<Option<String>>(), any::<Option<bool>>(), any::<u32>());
    let lists = (prop::option::of(prop::collection::vec(objects(), 0..3)), roles, rows(), rows());
    (words, lists, 0..5_usize).prop_map(
        |((name, tenant_url, on, number), (objects, roles, users, groups), template)| {
            let template = &Template::all()[template];
            let mut settings = PlainSettings::default_of(template);
            settings.interval_seconds = number.into();
            settings.exclude_default_access = number % 2 == 0;
            let roles = roles.map(|roles: BTreeSet<String>| roles.into_iter().collect());
            JobConfiguration {
                name,
                template: template.name.clone(),
                tenant_url,
                on,
                settings,
                roles,
                objects,
                users,
                groups,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(job in configurations()) {
        let text = job.to_toml();
        let read = ConfigurationFile::parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&read.wanted, &job);
        prop_assert_eq!(read.wanted.to_toml(), text);
    }

    #[test]
    fn nothing_that_is_read_breaks_it(text in any::<String>()) {
        drop(ConfigurationFile::parse(&text));
    }

    #[test]
    fn no_value_breaks_it(key in prop::sample::select(vec!["name", "mappings", "assignments", "roles", "scope"]), value in "[\\[\\]{}=,a-z0-9\"' ]{0,24}") {
        drop(ConfigurationFile::parse(&format!("template = \"scim\"\n{key} = {value}\n")));
    }
}
