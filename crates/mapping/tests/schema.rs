//! Whole documents as administrators export them: what is read, what is told, and that nothing is lost.

use mapping::schema::{Difference, Document, Finding, Imported, Severity, read, read_for, write, write_for};
use mapping::{AttributeMapping, Clause, ObjectMapping, ObjectType};
use serde_json::{Value, json};

mod documents;
use documents::{ALL, CUSTOMAPPSSO, FILTERS, GRAPH_KEYS, ODDITIES, PALO_ALTO, names};

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes()).expect("a schema")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Targets with source, matching priority and whether they are required.
fn told(mapping: &ObjectMapping) -> Vec<(String, String, u32, bool)> {
    let attributes = mapping.attributes.iter();
    attributes.map(|one| (one.target.clone(), one.source.to_string(), one.matching_priority, one.required)).collect()
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}{finding}", if finding.blocks { "! " } else { "" })).collect()
}

/// Target, source, matching priority, required: the users of the template for SCIM applications that are in no gallery.
const USERS: [(&str, &str, u32, bool); 22] = [
    ("userName", "[userPrincipalName]", 1, true),
    ("active", "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")", 0, false),
    ("displayName", "[displayName]", 0, false),
    ("title", "[jobTitle]", 0, false),
    ("emails[type eq \"work\"].value", "[mail]", 0, false),
    ("preferredLanguage", "[preferredLanguage]", 0, false),
    ("name.givenName", "[givenName]", 0, false),
    ("name.familyName", "[surname]", 0, false),
    ("name.formatted", "Join(\" \", [givenName], [surname])", 0, false),
    ("addresses[type eq \"work\"].formatted", "[physicalDeliveryOfficeName]", 0, false),
    ("addresses[type eq \"work\"].streetAddress", "[streetAddress]", 0, false),
    ("addresses[type eq \"work\"].locality", "[city]", 0, false),
    ("addresses[type eq \"work\"].region", "[state]", 0, false),
    ("addresses[type eq \"work\"].postalCode", "[postalCode]", 0, false),
    ("addresses[type eq \"work\"].country", "[country]", 0, false),
    ("phoneNumbers[type eq \"work\"].value", "[telephoneNumber]", 0, false),
    ("phoneNumbers[type eq \"mobile\"].value", "[mobile]", 0, false),
    ("phoneNumbers[type eq \"fax\"].value", "[facsimileTelephoneNumber]", 0, false),
    ("externalId", "[mailNickname]", 0, false),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "[employeeId]", 0, false),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "[department]", 0, false),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "[manager]", 0, false),
];
/// And its groups.
const GROUPS: [(&str, &str, u32, bool); 3] = [
    ("displayName", "[displayName]", 1, true),
    ("externalId", "[objectId]", 0, false),
    ("members", "[members]", 0, false),
];

fn assert_told(mapping: &ObjectMapping, expected: &[(&str, &str, u32, bool)]) {
    let told = told(mapping);
    let rows = told.iter().map(|(target, source, priority, required)| (&**target, &**source, *priority, *required));
    assert_eq!(rows.collect::<Vec<_>>(), expected);
}

#[test]
fn an_export_of_entra_is_the_template_for_scim_applications() {
    let imported = read(&document(CUSTOMAPPSSO));
    assert!(imported.may_be_carried_out(false));
    let [users, groups] = &imported.objects[..] else { panic!("users and groups are expected") };
    assert_eq!((users.source_object, groups.source_object), (ObjectType::User, ObjectType::Group));
    assert_told(users, &USERS);
    assert_told(groups, &GROUPS);
    assert!(users.enabled && users.scoping.is_empty() && users.flow_types == mapping::FlowTypes::default());
    // Entra's list says that the case of this one does not count; all else is what RFC 7643 says anyway.
    let list: Vec<&str> = users.target_attributes.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(list, ["externalId"]);
    assert!(imported.findings.iter().all(|finding| finding.severity == Severity::Different), "{:?}", imported.findings);
    let places: Vec<&str> = imported.findings.iter().map(Finding::shown_place).collect();
    let manager = "users: target attribute urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    assert_eq!(places, [manager, "groups: target attribute members"]);
    // Programs get the whole place.
    let json = serde_json::to_value(&imported.findings[1]).unwrap();
    assert!(json["place"].as_str().unwrap().starts_with("rule ") && json.as_object().unwrap().len() == 4, "{json}");
}

#[test]
fn a_template_with_its_schema_inside_is_read() {
    let imported = read(&document(PALO_ALTO));
    assert!(imported.may_be_carried_out(false));
    let counts: Vec<usize> = imported.objects.iter().map(|mapping| mapping.attributes.len()).collect();
    assert_eq!(counts, [31, 2]);
    let required: Vec<&str> =
        imported.objects[0].attributes.iter().filter(|one| one.required).map(|one| one.target.as_str()).collect();
    assert_eq!(required, ["userName", "active", "displayName", "name.givenName", "name.familyName", "name.formatted"]);
}

#[test]
fn every_operator_of_entra_is_read() {
    let imported = read(&document(FILTERS));
    assert!(imported.may_be_carried_out(false));
    let mapping = &imported.objects[0];
    let clauses = |filters: &mapping::ScopingFilters| -> Vec<String> {
        filters.0.iter().flat_map(|group| &group.clauses).map(Clause::to_string).collect()
    };
    assert_eq!(
        clauses(&mapping.scoping),
        [
            "state EQUALS New York",
            "department NOT EQUALS Sales",
            "employeeId Greater_Than 1000000",
            "employeeId Greater_Than_OR_EQUALS 1000000",
            "mail REGEX MATCH .*@contoso\\.com$",
            "mail NOT REGEX MATCH ^test",
            "jobTitle Includes Lead",
            "mail ENDS_WITH contoso.com",
            "accountEnabled IS TRUE",
            "IsSoftDeleted IS FALSE",
            "extensionAttribute1 & 512",
            "extensionAttribute1 !& 2",
            "companyName IS NULL",
            "jobTitle IS NOT NULL",
            "mail IS NOT NULL",
        ]
    );
    assert_eq!(clauses(&mapping.input_filters), ["userPrincipalName NOT REGEX MATCH #EXT#"]);
    assert_eq!(clauses(&mapping.category_filters), ["employeeId IS NOT NULL"]);
    let titles: Vec<&str> = mapping.scoping.0.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(titles, ["Engineers of New York", "Texts", "Flags", "Nulls"]);
}

#[test]
fn oddities_are_told_all_at_once_and_the_others_are_read() {
    let imported = read(&document(ODDITIES));
    assert!(!imported.may_be_carried_out(false));
    assert!(imported.may_be_carried_out(true));
    let rule = "rule USER_OUTBOUND_USER, object mapping Provision";
    let users = format!("{rule} Azure Active Directory Users");
    let told = lines(&imported.findings);
    for expected in [
        format!("not supported: {rule} Contacts: its source objects are `Contact`"),
        "not supported: rule USER_INBOUND_USER: it is inbound, from `customappsso`".to_owned(),
        format!("note: {rule} more Users: one object mapping counts for each type, which is {users}"),
        "not supported: users: target attribute title: the expression `ToUper([jobTitle])` cannot be read".to_owned(),
        "note: users: target attribute nickName: `expression` and the tree beside it".to_owned(),
        "not supported: users: target attribute userType: the source is of the type `ExtensibilityWorkflow`".to_owned(),
        "not supported: users: target attribute externalId: its `flowType` `Sometimes` is none of Always".to_owned(),
        "not supported: users: attribute mapping 12: it has no `targetAttributeName`".to_owned(),
        "different: users: attribute list, nickName: its mutability `Sometimes` is none of ReadWrite".to_owned(),
        "different: users: target attribute roles[primary eq \"True\"].value: of several roles".to_owned(),
    ] {
        assert!(told.iter().any(|line| line.starts_with(&expected)), "{expected} is not among {told:#?}");
    }
    let [users, groups] = &imported.objects[..] else { panic!("users and groups are expected") };
    assert_eq!(users.attributes.len(), 9);
    let of = |target: &str| users.attributes.iter().find(|one| one.target == target).unwrap();
    assert_eq!(of("preferredLanguage").source.to_string(), "Replace([preferredLanguage], \"_\", , , \"-\")");
    assert_eq!((of("locale").fill(), of("timezone").default_value.as_deref()), (Some("en_US"), Some("")));
    assert_eq!(users.flow_null_values.iter().collect::<Vec<_>>(), ["jobTitle"]);
    assert!(!users.flow_types.delete && !groups.enabled);
}

/// The document with one member changed.
fn with(text: &str, pointer: &str, value: Value) -> Document {
    let mut json = parsed(text);
    let (parent, name) = pointer.rsplit_once('/').expect("a member");
    json.pointer_mut(parent).expect("an object")[name] = value;
    Document::from_json(json).expect("a schema")
}

const USER_MAPPING: &str = "/synchronizationRules/0/objectMappings/0";

#[test]
fn what_would_let_others_in_blocks_the_import() {
    let clause = |operator: &str| {
        json!({"groups": [{"name": "g", "clauses": [{"sourceOperandName": "mail", "operatorName": operator,
            "targetOperand": {"values": ["x"]}}]}]})
    };
    for (member, value, expected) in [
        ("scope", clause("IsMemberOf"), "the operator `IsMemberOf` is not supported"),
        ("scope", clause("EQUAL"), "there is no operator `EQUAL`; did you mean `EQUALS`?"),
        ("Scope", clause("EQUALS"), "nothing reads `Scope`; it is probably meant to be `scope`"),
        ("flowTypes", json!("Add, Purge"), "its `flowTypes` has `Purge`"),
        ("enabled", json!(false), "the mapping of users cannot be disabled"),
        ("attributeMappings", json!([]), "no attribute mapping matches objects"),
    ] {
        let mut changed = parsed(CUSTOMAPPSSO);
        if member == "Scope" {
            changed.pointer_mut(USER_MAPPING).unwrap().as_object_mut().unwrap().remove("scope");
        }
        let imported = read(&with(&changed.to_string(), &format!("{USER_MAPPING}/{member}"), value));
        let blocking: Vec<_> = imported.findings.iter().filter(|finding| finding.blocks).collect();
        assert!(blocking.iter().any(|finding| finding.reason.contains(expected)), "{expected}: {blocking:?}");
        assert!(!imported.may_be_carried_out(true), "{expected}");
    }
    let group = json!({"includedGroups": ["g"]});
    let imported = read(&with(CUSTOMAPPSSO, "/synchronizationRules/0/groupFilter", group));
    assert!(!imported.may_be_carried_out(true));
    let nothing = read(&with(CUSTOMAPPSSO, "/synchronizationRules", json!([])));
    assert!(!nothing.may_be_carried_out(true) && nothing.objects.is_empty());
}

#[test]
fn blanks_around_a_target_attribute_are_passed_over() {
    let target = format!("{USER_MAPPING}/attributeMappings/0/targetAttributeName");
    let plain = read(&Document::parse(CUSTOMAPPSSO.as_bytes()).unwrap());
    let name = parsed(CUSTOMAPPSSO).pointer(&target).and_then(Value::as_str).unwrap().to_owned();
    let document = with(CUSTOMAPPSSO, &target, json!(format!(" {name} ")));
    let imported = read(&document);
    assert_eq!(imported.objects, plain.objects);
    let told = format!("the blanks around `{name}` in its `targetAttributeName` are passed over");
    assert!(imported.findings.iter().any(|finding| finding.reason == told), "{:?}", imported.findings);
    assert_eq!(write(Some(&document), &imported.objects, &names()).document, document, "it stays as it is");
}

#[test]
fn a_mapping_that_switches_accounts_off_is_never_left_out() {
    let unread = json!({"type": "Function", "name": "Swich", "expression": "Swich([IsSoftDeleted])", "parameters": []});
    for (target, object, blocks) in [
        ("active", 0, true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:active", 0, true),
        ("title", 0, false),
        ("urn:example:2.0:User:active", 0, false),
        ("active", 1, false),
    ] {
        let mut json = parsed(CUSTOMAPPSSO);
        let pointer = format!("/synchronizationRules/0/objectMappings/{object}/attributeMappings");
        let mappings = json.pointer_mut(&pointer).and_then(Value::as_array_mut).expect("mappings");
        mappings.retain(|mapping| mapping["targetAttributeName"] != "active");
        mappings.push(json!({"targetAttributeName": target, "source": unread}));
        let imported = read(&Document::from_json(json).expect("a schema"));
        assert_eq!(imported.may_be_carried_out(true), !blocks, "{target}: {:?}", imported.findings);
        let words = "nobody who leaves the scope is switched off, so the import stops here";
        assert_eq!(imported.findings.iter().any(|one| one.blocks && one.reason.contains(words)), blocks, "{target}");
    }
}

#[test]
fn what_is_refused_is_left_out_and_stays_in_the_document() {
    let refusal = |_: ObjectType, mapping: &AttributeMapping| {
        let reads = mapping.source.attributes().contains("jobTitle");
        let is_bad = mapping.target.ends_with(":costCenter");
        (reads || is_bad).then(|| "nobody has it".to_owned())
    };
    let mut json = parsed(CUSTOMAPPSSO);
    let mappings = json.pointer_mut(&format!("{USER_MAPPING}/attributeMappings")).and_then(Value::as_array_mut);
    let mappings = mappings.expect("mappings");
    let cost_center = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter";
    let mut more = mappings.iter().find(|mapping| mapping["targetAttributeName"] == "title").expect("title").clone();
    more["targetAttributeName"] = json!(cost_center);
    more["source"] = json!({"type": "Attribute", "name": "department", "expression": "[department]", "parameters": []});
    mappings.push(more);
    let document = Document::from_json(json).expect("a schema");
    let (all, imported) = (read(&document), read_for(&document, &refusal));
    assert_eq!(imported.objects[0].attributes.len() + 2, all.objects[0].attributes.len());
    let told: Vec<&str> = imported.findings.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(told.iter().filter(|told| **told == "nobody has it; the mapping is left out").count(), 2, "{told:?}");
    assert!(imported.may_be_carried_out(true) && !imported.may_be_carried_out(false));
    let unread = &imported.parts[0].1;
    assert!(unread.lacks_of("title"));
    // Whoever refuses keeps it, and whoever does not takes it for removed.
    let kept = write_for(Some(&document), &imported.objects, &names(), &refusal).document;
    assert_eq!(kept, document);
    let removed = write(Some(&document), &imported.objects, &names()).document;
    assert_eq!(read(&removed).objects, imported.objects);
}

#[test]
fn the_only_mapping_that_matches_objects_is_never_left_out() {
    let unread = json!({"type": "Function", "name": "ToLowr", "expression": "ToLowr([mail])", "parameters": []});
    for (matches_too, blocks) in [(None, true), (Some("displayName"), false)] {
        let mut json = parsed(CUSTOMAPPSSO);
        let mappings = json.pointer_mut(&format!("{USER_MAPPING}/attributeMappings")).and_then(Value::as_array_mut);
        for mapping in mappings.expect("mappings") {
            let target = mapping["targetAttributeName"].as_str().unwrap_or_default().to_owned();
            if target == "userName" {
                mapping["source"] = unread.clone();
            } else if Some(target.as_str()) == matches_too {
                mapping["matchingPriority"] = json!(2);
            }
        }
        let imported = read(&Document::from_json(json).expect("a schema"));
        assert_eq!(imported.may_be_carried_out(true), !blocks, "{:?}", imported.findings);
        let of_name = imported.findings.iter().find(|one| one.reason.contains("`ToLowr`")).expect("it is told");
        assert_eq!(of_name.reason.contains("no account is found that is there already"), blocks, "{of_name}");
        let is_told = of_name.reason.contains("the mapping is left out, and no account is found by it");
        assert_eq!(is_told, !blocks, "{of_name}");
        assert!(!imported.findings.iter().any(|one| one.reason.contains("no attribute mapping matches objects")));
        // It is left out of what is used, and not of what is validated.
        let ((users, unread), used) = (&imported.parts[0], &imported.objects[0]);
        assert!(unread.lacks_of("userName") && !unread.lacks_of("title"));
        assert_eq!(users.attributes.len(), used.attributes.len() + 1);
        assert!(users.matching().any(|one| one.target == "userName"));
    }
}

#[test]
fn a_file_whose_mappings_are_unchanged_is_written_as_it_was() {
    for text in ALL {
        // Members, an order and notations that are nobody's.
        let text = text.replacen('{', "{\n  \"zone\": 12345678901234567890123,\n  \"area\": \"\\u00e9\",", 1);
        let document = document(&text);
        let written = write(Some(&document), &read(&document).objects, &names()).document.to_text();
        let differs = text.lines().zip(written.lines()).find(|(before, now)| before != now);
        assert_eq!((differs, written.len()), (None, text.len()));
    }
}

#[test]
fn only_what_is_changed_is_written() {
    let base = document(ODDITIES);
    let mut objects = read(&base).objects;
    let users = &mut objects[0];
    users.attributes.retain(|one| one.target != "locale");
    let name = users.attributes.iter_mut().find(|one| one.target == "displayName").unwrap();
    name.source = "ToUpper([displayName])".parse().unwrap();
    users.attributes.push(mapping::AttributeMapping::new("urn:x:badge", "[extensionAttribute9]".parse().unwrap()));
    let changed = serde_json::to_value(write(Some(&base), &objects, &names()).document).unwrap();
    let mappings = changed.pointer(&format!("{USER_MAPPING}/attributeMappings")).unwrap().as_array().unwrap();
    let before = parsed(ODDITIES);
    let before = before.pointer(&format!("{USER_MAPPING}/attributeMappings")).unwrap().as_array().unwrap();
    // What cannot be read stays, and so do members that nobody knows.
    assert_eq!(mappings.len(), before.len());
    assert_eq!(mappings[1]["tenantNote"], "kept");
    assert_eq!(mappings[1]["matchingPriority"], Value::Null);
    assert_eq!(mappings[1]["source"]["parameters"][0]["value"]["name"], "displayName");
    assert_eq!(mappings[2..5], before[2..5]);
    assert_eq!(mappings.last().unwrap()["source"]["expression"], "[extensionAttribute9]");
    let again = read(&Document::from_json(changed.clone()).unwrap()).objects;
    let lines = Difference::between(&objects, &again).to_string();
    assert_eq!(
        lines, "+ users: attribute list, urn:x:badge  caseExact: true\n",
        "a document lists what the RFC does not define"
    );
    let is_badge = |entry: &&Value| entry["name"] == "urn:x:badge";
    let list = changed.pointer("/directories").and_then(Value::as_array).into_iter().flatten();
    let objects = list.flat_map(|directory| directory["objects"].as_array().into_iter().flatten());
    let mut entries = objects.flat_map(|object| object["attributes"].as_array().into_iter().flatten());
    let badge = entries.find(is_badge).expect("Entra's list gets what the RFC does not define");
    assert_eq!((&badge["type"], &badge["caseExact"]), (&json!("String"), &json!(true)));
}

#[test]
fn documents_are_kept_to_the_last_member() {
    for text in ALL {
        let document = document(text);
        assert_eq!(serde_json::to_value(&document).unwrap(), parsed(text));
        let objects = read(&document).objects;
        let written = write(Some(&document), &objects, &names()).document;
        assert_eq!(serde_json::to_value(&written).unwrap(), parsed(text));
    }
}

#[test]
fn a_second_mapping_of_users_never_takes_the_place_of_the_first() {
    let mut json = parsed(CUSTOMAPPSSO);
    let mappings = json.pointer_mut("/synchronizationRules/0/objectMappings").unwrap().as_array_mut().unwrap();
    let second = mappings[0].clone();
    mappings.push(second);
    let base = Document::from_json(json).unwrap();
    let mut objects = read(&base).objects;
    objects[0].enabled = false;
    let off = write(Some(&base), &objects, &names()).document;
    assert_eq!(read(&off).objects, objects);
    objects.remove(0);
    let gone = write(Some(&base), &objects, &names()).document;
    assert_eq!(read(&gone).objects, objects);
}

#[test]
fn an_object_mapping_whose_filter_cannot_be_read_stays_until_it_is_replaced() {
    let scope = json!({"groups": [{"name": "g", "clauses": [{"sourceOperandName": "mail", "operatorName": "IsMemberOf",
        "targetOperand": {"values": ["x"]}}]}], "inputFilterGroups": [], "categoryFilterGroups": []});
    let base = with(CUSTOMAPPSSO, &format!("{USER_MAPPING}/scope"), scope);
    let groups = read(&base).objects;
    assert_eq!(groups.len(), 1);
    assert_eq!(write(Some(&base), &groups, &names()).document, base);
    let whole = read(&document(CUSTOMAPPSSO)).objects;
    let written = write(Some(&base), &whole, &names()).document;
    assert_eq!(read(&written).objects, whole);
}

#[test]
fn what_entra_will_not_take_is_told() {
    let file = json!({"sourceObject": "User", "targetObject": "User", "extensions": true,
        "attributes": [{"target": "userName", "source": "Trim([mail])", "matchingPriority": 1}],
        "scoping": [{"name": "g", "clauses": [
            {"attribute": "mail", "operator": "REGEX MATCH", "value": "a|b", "regexMode": "full"}]}]});
    let mapping: ObjectMapping = serde_json::from_value(file).unwrap();
    let exported = write(None, &[mapping], &names());
    assert_eq!(
        lines(&exported.findings),
        [
            "not supported: users, target attribute userName: `Trim` is not in Entra's list of functions for applications (that of cloud sync has it), and Entra will refuse the document; use functions of Entra's instead",
            "note: users, filter `g`, clause `mail REGEX MATCH a|b`: Entra cannot be told that the whole value is meant, so the pattern is written between `^(?:` and `)$`",
        ]
    );
    let again = read(&exported.document).objects;
    assert_eq!(again[0].scoping.0[0].clauses[0].value(), Some("^(?:a|b)$"));
    assert!(again[0].extensions);
}

/// The document without the `expression` of any source, so that only the trees are left.
fn without_expressions(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.remove("expression");
            members.values_mut().for_each(without_expressions);
        }
        Value::Array(items) => items.iter_mut().for_each(without_expressions),
        _ => {}
    }
}

#[test]
fn trees_with_the_keys_of_graph_say_the_same_as_their_expressions() {
    let imported = read(&document(GRAPH_KEYS));
    let foreign = "not supported: the target `crm.example`: it speaks another protocol than SCIM";
    let told: Vec<String> =
        imported.findings.iter().filter(|one| one.severity != Severity::Different).map(ToString::to_string).collect();
    assert!(matches!(told.as_slice(), [one] if one.starts_with(foreign)), "{told:?}");
    let mut json = parsed(GRAPH_KEYS);
    without_expressions(&mut json);
    let trees = read(&Document::from_json(json).unwrap());
    let sources = |objects: &[ObjectMapping]| -> Vec<(String, String)> {
        objects[0].attributes.iter().map(|one| (one.target.clone(), one.source.to_string())).collect()
    };
    let (expressions, trees) = (sources(&imported.objects), sources(&trees.objects));
    assert_eq!((expressions.len(), trees.len()), (12, 12));
    let differ: Vec<&str> =
        expressions.iter().zip(&trees).filter(|(one, other)| one != other).map(|(_, tree)| tree.1.as_str()).collect();
    // Only how much is written of what is left out, and of numbers.
    assert_eq!(
        differ,
        [
            "Mid([userPrincipalName], \"1\", \"8\")",
            "Replace([preferredLanguage], \"-\", , , \"_\")",
            "FormatDateTime([extensionAttribute2], , \"yyyyMMdd\", \"yyyy-MM-dd\")",
        ]
    );
    let whole = write(None, &imported.objects, &names()).document;
    assert_eq!(
        serde_json::to_value(&whole).unwrap().pointer(&format!("{USER_MAPPING}/attributeMappings/6/source")),
        parsed(GRAPH_KEYS).pointer(&format!("{USER_MAPPING}/attributeMappings/6/source"))
    );
}

#[test]
fn what_entra_passes_over_is_read_as_switched_off() {
    let unsynchronized = |object: usize, value: Value| {
        let metadata = json!([{"key": "Note", "value": "x"}, {"key": "Unsynchronized", "value": value}]);
        with(CUSTOMAPPSSO, &format!("/synchronizationRules/0/objectMappings/{object}/metadata"), metadata)
    };
    for value in [json!("true"), json!("\"True\""), json!(true)] {
        let base = unsynchronized(1, value.clone());
        let Imported { mut objects, findings, .. } = read(&base);
        assert!(!objects[1].enabled && findings.iter().all(|finding| !finding.blocks), "{value}: {findings:?}");
        assert!(findings.iter().any(|finding| finding.reason.contains("Unsynchronized")));
        assert_eq!(write(Some(&base), &objects, &names()).document, base, "it stays as it is");
        objects[1].enabled = true;
        let written = write(Some(&base), &objects, &names()).document;
        assert_eq!(read(&written).objects, objects, "switched on here, it is on in the document, too");
        let written = serde_json::to_value(&written).unwrap();
        let metadata = written.pointer("/synchronizationRules/0/objectMappings/1/metadata").unwrap();
        assert_eq!(*metadata, json!([{"key": "Note", "value": "x"}, {"key": "Unsynchronized", "value": "false"}]));
    }
    assert!(read(&unsynchronized(1, json!("false"))).objects[1].enabled);
    let users = read(&unsynchronized(0, json!("true")));
    assert!(!users.may_be_carried_out(true), "users cannot be switched off");
}

#[test]
fn what_does_the_same_on_both_sides_is_not_told() {
    let told = |pattern: &str| {
        let scope = json!({"groups": [{"name": "g", "clauses": [{"sourceOperandName": "mail",
            "operatorName": "REGEX MATCH", "targetOperand": {"values": [pattern]}}]}]});
        let imported = read(&with(CUSTOMAPPSSO, &format!("{USER_MAPPING}/scope"), scope));
        imported.findings.iter().any(|finding| finding.reason.contains("looked for anywhere"))
    };
    for (pattern, expected) in [
        (".*@contoso\\.com$", false),
        ("^adm.*", false),
        ("^adm", true),
        ("@contoso\\.com$", true),
        (".*a\\.*", true),
        (".*a|b$", true),
    ] {
        assert_eq!(told(pattern), expected, "{pattern}");
    }
    let off = with(CUSTOMAPPSSO, "/synchronizationRules/0/objectMappings/1/enabled", json!(false));
    let findings = read(&off).findings;
    assert!(!findings.iter().any(|finding| finding.place.contains("Groups")), "{findings:?}");
}

#[test]
fn functions_of_cloud_sync_come_and_stay_with_a_note() {
    let source = json!({"type": "Function", "name": "Trim", "expression": "Trim([displayName])", "parameters": [
        {"key": "source", "value": {"type": "Attribute", "name": "displayName", "expression": "[displayName]"}}]});
    let base = with(CUSTOMAPPSSO, &format!("{USER_MAPPING}/attributeMappings/2/source"), source);
    let Imported { mut objects, findings, .. } = read(&base);
    assert!(objects[0].extensions);
    let told = lines(&findings);
    let expected = "target attribute displayName: `Trim` is not in Entra's list of functions for applications (that of cloud sync has it); here it is an extension, and the import switches `extensions` on for the object mapping";
    assert!(told.iter().any(|line| line.starts_with("note: ") && line.ends_with(expected)), "{told:#?}");
    let place = "users, target attribute displayName: `Trim`";
    let of = |exported: &mapping::schema::Exported| {
        let mut told = lines(&exported.findings).into_iter();
        told.find_map(|line| line.split_once(place).map(|(severity, _)| severity.to_owned()))
    };
    assert_eq!(of(&write(Some(&base), &objects, &names())).as_deref(), Some("note: "));
    objects[0].attributes[2].source =
        mapping::MappingSource::parse_with("Trim([surname])", mapping::Language::EXTENDED).unwrap();
    assert_eq!(of(&write(Some(&base), &objects, &names())).as_deref(), Some("not supported: "));
}

#[test]
fn too_many_or_too_large_mappings_are_refused_before_they_take_memory() {
    let large = "x".repeat(9_000);
    let mapping = |index: usize, source: String| json!({"targetAttributeName": format!("a{index}"), "source": {"expression": source}});
    let of = |count: usize, source: &dyn Fn(usize) -> String| {
        let mappings: Vec<Value> = (0..count).map(|index| mapping(index, source(index))).collect();
        read(&with(CUSTOMAPPSSO, &format!("{USER_MAPPING}/attributeMappings"), json!(mappings)))
    };
    let blocking = |imported: &Imported| -> Vec<String> {
        imported.findings.iter().filter(|one| one.blocks).map(|one| one.reason.clone()).collect()
    };
    let many = of(501, &|_| "ToLowr([a])".to_owned());
    assert_eq!(blocking(&many), ["there are 501 attribute mappings, at most 500 are allowed"]);
    assert!(!many.findings.iter().any(|finding| finding.reason.contains("ToLowr")), "none of them is read");
    let heavy = of(40, &|index| format!("Replace([a], , \"{large}{index}\", , \"\")"));
    assert_eq!(
        blocking(&heavy),
        ["the regular expressions of the attribute mappings are too large together: shorten this one"]
    );
    let refused = heavy.findings.iter().find(|one| one.blocks).unwrap();
    let of_first_refused: usize = refused.place.rsplit_once(" a").unwrap().1.parse().unwrap();
    assert!((1..39).contains(&of_first_refused), "{}", refused.place);
    assert_eq!(heavy.objects.len(), 1, "that of users is not read");
    let clause = |index: usize| {
        json!({"sourceOperandName": "mail", "operatorName": "REGEX MATCH",
        "targetOperand": {"values": [format!("{large}{index}")]}})
    };
    let clauses: Vec<Value> = (0..9).map(clause).collect();
    let scope = json!({"groups": [{"name": "g", "clauses": clauses}]});
    let filtered = read(&with(CUSTOMAPPSSO, &format!("{USER_MAPPING}/scope"), scope));
    let expected = "the regular expressions of the filters are too large together: shorten this one";
    assert_eq!(blocking(&filtered), [expected], "the first that is too much is told, and none behind it is read");
}

/// What is exported has to be read again, however deep an expression goes.
#[test]
fn a_document_with_a_deep_expression_is_read_again() {
    let text = format!("{}[a]{}", "IIF(".repeat(100), "=\"1\",\"x\",\"y\")".repeat(100));
    let attribute = json!({"target": "title", "source": text});
    let object = json!({"sourceObject": "User", "targetObject": "User", "attributes": [attribute]});
    let object: ObjectMapping = serde_json::from_value(object).unwrap();
    let written = write(None, std::slice::from_ref(&object), &names()).document;
    assert_eq!(read(&document(&written.to_text())).objects[0].attributes, object.attributes);
}
