//! RFC 7644 §3.4.2.2 sentence by sentence, and the grammar of its figure 1: what each filter finds among three users.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, ENTERPRISE, USER, World};

const EXTRA: &str = "urn:example:params:Extra";

/// Which of the three a filter finds: `a`da, who has everything, `b`ob, who has little, and `c`yd, who has nothing but a name.
type Rows = &'static [(&'static str, &'static str)];

const REFUSED: &str = "refused";

async fn people(store: store::Store) -> World {
    let world = World::new(store, "generic").await;
    let attributes = json!([
        { "name": "level", "type": "integer" }, { "name": "rate", "type": "decimal" }, { "name": "vip", "type": "boolean" },
        { "name": "page", "type": "reference", "referenceTypes": ["external"] }, { "name": "since", "type": "dateTime" },
        { "name": "tags", "multiValued": true }, { "name": "title" }, { "name": "key", "type": "binary" },
        { "name": "desk", "type": "complex", "subAttributes": [{ "name": "floor", "type": "integer" }, { "name": "room" }] },
    ]);
    let schema = json!({ "id": EXTRA, "name": "Extra", "attributes": attributes });
    let extension = json!({ "schema": EXTRA, "required": false });
    world
        .define(&json!({ "schemas": [schema], "resourceTypes": [{ "name": "User", "schemaExtensions": [extension] }] }))
        .await;
    let ada = json!({
        "schemas": [USER, ENTERPRISE, EXTRA], "userName": "ada", "externalId": "7a-Ä", "displayName": "Ada (Öz) \"L\"", "title": "Dr. A\\B",
        "active": true, "password": "secret-1", "profileUrl": "https://x.example/Ada?a=1", "locale": "en",
        "name": { "familyName": "O'Malley", "givenName": "Ada" },
        "emails": [{ "value": "ada@work.example", "type": "work", "primary": true }, { "value": "ada@home.example", "type": "home" }],
        "phoneNumbers": [{ "value": "+1 555", "type": "work" }],
        ENTERPRISE: { "employeeNumber": "0017", "department": "R&D", "manager": { "value": "m1" } },
        EXTRA: { "level": 5, "rate": 1.5, "vip": false, "page": "https://x.example/P", "since": "2020-02-29T12:00:00.5+02:00",
            "tags": ["red", "Blue"], "title": "Extra", "key": "QUJD", "desk": { "floor": 3, "room": "B" } },
    });
    let bob = json!({
        "schemas": [USER, EXTRA], "userName": "bob", "displayName": "and", "active": false, "title": "",
        "emails": [{ "value": "bob@work.example", "type": "work" }], EXTRA: { "level": -1, "rate": 2, "tags": ["green"] },
    });
    for body in [ada, bob, json!({ "schemas": [USER], "userName": "cyd" })] {
        let made = world.call("POST", "/Users", &body).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    }
    world
}

async fn ask(world: &World, filter: &str) -> Answer {
    let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    world.get(&format!("/Users?filter={encoded}")).await
}

fn found(answer: &Answer) -> String {
    if answer.status.as_u16() == 400 && answer.body["scimType"] == "invalidFilter" {
        return REFUSED.to_owned();
    }
    let Some(users) = answer.body["Resources"].as_array() else { return answer.body.to_string() };
    assert_eq!(answer.body["totalResults"], users.len());
    users.iter().filter_map(|user| user["userName"].as_str()?.get(..1)).collect()
}

async fn check(world: &World, tables: &[Rows]) {
    let mut wrong = Vec::new();
    for (filter, expected) in tables.iter().copied().flatten() {
        let answer = found(&ask(world, filter).await);
        if answer != *expected {
            wrong.push(format!("{filter}: {answer}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Figure 1: what is a filter and what is none, and what else is taken for one.
const GRAMMAR: Rows = &[
    ("userName eq \"ada\"", "a"),
    ("userName\teq\t\"ada\"", "a"),
    ("  userName   EQ   \"ada\"  ", "a"),
    ("USERNAME eQ \"ADA\"", "a"),
    ("userName eq ada", "a"),
    ("userName eq\"ada\"", "a"),
    ("userName eq \"ada\"and active pr", REFUSED),
    ("userName eq 'ada'", REFUSED),
    ("userName = \"ada\"", REFUSED),
    ("userName == \"ada\"", REFUSED),
    ("\"userName\" eq \"ada\"", REFUSED),
    ("eq userName \"ada\"", REFUSED),
    ("userName pr eq", REFUSED),
    ("userName pr \"ada\"", REFUSED),
    ("pr userName", REFUSED),
    ("userName PR", "abc"),
    ("userName", REFUSED),
    ("", REFUSED),
    ("   ", REFUSED),
    ("()", REFUSED),
    ("(userName pr", REFUSED),
    ("userName pr)", REFUSED),
    ("(userName pr)", "abc"),
    ("( ( userName pr ) )", "abc"),
    ("((((((((((((((((userName eq \"ada\"))))))))))))))))", "a"),
    ("not(userName eq \"ada\")", "bc"),
    ("not (userName eq \"ada\")", "bc"),
    ("NOT  ( userName eq \"ada\" )", "bc"),
    ("Not (not (userName eq \"ada\"))", "a"),
    ("not userName eq \"ada\"", "bc"),
    ("not not userName eq \"ada\"", "a"),
    ("not", REFUSED),
    ("not ()", REFUSED),
    ("userName not eq \"ada\"", REFUSED),
    ("userName eq not", REFUSED),
    ("userName eq \"ada\" AND active eq true", "a"),
    ("userName eq \"ada\" Or userName eq \"bob\"", "ab"),
    ("userName eq \"ada\" && active pr", REFUSED),
    ("userName eq \"ada\" , active pr", REFUSED),
    ("userName eq \"ada\" and", REFUSED),
    ("and userName eq \"ada\"", REFUSED),
    ("userName eq \"ada\" and or active pr", REFUSED),
    ("(userName eq \"ada\")and(active pr)", "a"),
    ("(userName eq \"ada\")or(active eq false)", "ab"),
    ("(userName eq \"ada\") (active pr)", REFUSED),
    ("displayName eq \"and\"", "b"),
    ("displayName eq and", REFUSED),
    ("displayName co \"(Öz)\"", "a"),
    ("displayName co \"\\\"L\\\"\"", "a"),
    ("title eq \"Dr. A\\\\B\"", "a"),
    ("userName eq \"\\u0061d\\u0041\"", "a"),
    ("displayName co \"\\u00d6\"", "a"),
    ("displayName co \"O\\u0308\"", "a"),
    ("userName eq \"\\uD83D\\uDE00\"", ""),
    ("userName eq \"\\uD83D\"", REFUSED),
    ("userName eq \"\\uDE00\\uD83D\"", REFUSED),
    ("userName eq \"\\q\"", REFUSED),
    ("userName eq \"a\\/b\"", ""),
    ("userName eq \"ada", REFUSED),
    ("userName eq \"ada\"\"", REFUSED),
    ("1userName pr", REFUSED),
    ("user.Name pr", REFUSED),
    ("name..familyName pr", REFUSED),
    ("name. pr", REFUSED),
    (".familyName pr", REFUSED),
    ("name.familyName.x pr", REFUSED),
    ("userName;x pr", REFUSED),
    ("$ref pr", REFUSED),
];

/// Table 4: the order of evaluation.
const PRECEDENCE: Rows = &[
    ("userName eq \"bob\" or userName eq \"ada\" and active eq false", "b"),
    ("(userName eq \"bob\" or userName eq \"ada\") and active eq true", "a"),
    ("userName eq \"ada\" and active eq false or userName eq \"cyd\"", "c"),
    ("not (userName eq \"ada\") and active pr", "b"),
    ("not (userName eq \"ada\" and active pr)", "bc"),
    ("not userName eq \"ada\" or userName eq \"ada\"", "abc"),
    ("userName pr and not (active eq true or active eq false)", "c"),
    ("userName eq \"ada\" or not (active pr) and title pr", "a"),
];

/// Figure 1's `attrPath`: names with the URN of their schema, in any case.
const NAMES: Rows = &[
    ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada\"", "a"),
    ("URN:IETF:params:scim:SCHEMAS:core:2.0:user:USERNAME eq \"ada\"", "a"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName sw \"O'\"", "a"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"home\"]", "a"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"home\"].value co \"home\"", "a"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:emails.value sw \"bob@\"", "b"),
    ("urn:ietf:params:scim:schemas:core:2.0:Group:displayName pr", REFUSED),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"0017\"", "a"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m1\"", "a"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager pr", "a"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName pr", REFUSED),
    ("urn:example:params:Extra:level gt 4", "a"),
    ("URN:EXAMPLE:params:extra:LEVEL gt 4", "a"),
    ("urn:example:params:Extra:desk.floor eq 3", "a"),
    ("urn:example:params:Extra:desk[floor eq 3 and room eq \"b\"]", "a"),
    ("urn:example:params:Extra:desk[floor eq 3].room eq \"c\"", ""),
    ("urn:example:params:Extra:title eq \"extra\"", "a"),
    ("urn:example:params:Extra:tags[value eq \"RED\"]", "a"),
    ("urn:example:params:Extra:nope pr", REFUSED),
    ("urn:example:params:Other:level pr", REFUSED),
    ("title eq \"extra\"", ""),
    ("nope pr", REFUSED),
    ("name.nope pr", REFUSED),
    ("userName.value pr", REFUSED),
    ("id pr", "abc"),
    ("ID pr", "abc"),
    ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", "abc"),
    ("schemas eq \"urn:example:params:Extra\"", "ab"),
    ("schemas co \"enterprise\"", "a"),
    ("schemas[value eq \"urn:example:params:Extra\"]", "ab"),
    ("meta.resourceType eq \"User\"", "abc"),
    ("meta.resourceType eq \"user\"", ""),
    ("meta.resourceType ne \"Group\"", "abc"),
    ("meta.created gt \"2025-12-31T00:00:00Z\"", "abc"),
    ("meta.created lt \"2025-12-31T00:00:00Z\"", ""),
    ("meta.lastModified ge 2026-01-01", "abc"),
    ("meta.location co \"/Users/\"", "abc"),
    ("meta.version eq \"W/\\\"1\\\"\"", "abc"),
    ("meta pr", "abc"),
    ("meta eq \"x\"", REFUSED),
    ("meta[resourceType eq \"User\"]", "abc"),
];

/// Table 3, operator by operator, on each type.
const OPERATORS: Rows = &[
    ("userName eq \"Ada\"", "a"),
    ("userName ne \"ada\"", "bc"),
    ("userName co \"D\"", "ac"),
    ("userName sw \"B\"", "b"),
    ("userName ew \"D\"", "c"),
    ("userName gt \"ADA\"", "bc"),
    ("userName ge \"ada\"", "abc"),
    ("userName lt \"bob\"", "a"),
    ("userName le \"BOB\"", "ab"),
    ("externalId eq \"7A-ä\"", ""),
    ("externalId eq \"7a-Ä\"", "a"),
    ("externalId sw \"7a\"", "a"),
    ("externalId sw \"7A\"", ""),
    ("externalId ne \"x\"", "abc"),
    ("title pr", "a"),
    ("title eq \"\"", ""),
    ("title ne \"\"", "abc"),
    ("title co \"\"", "a"),
    ("title sw \"\"", "a"),
    ("title ew \"\"", "a"),
    ("title eq null", "bc"),
    ("title ne null", "a"),
    ("title eq NULL", ""),
    ("title gt null", REFUSED),
    ("active eq true", "a"),
    ("active eq True", "a"),
    ("active eq \"true\"", "a"),
    ("active eq false", "b"),
    ("active ne true", "bc"),
    ("active pr", "ab"),
    ("active gt false", REFUSED),
    ("active co \"true\"", REFUSED),
    ("active eq 1", REFUSED),
    ("active eq null", "c"),
    ("urn:example:params:Extra:vip pr", "a"),
    ("urn:example:params:Extra:level eq 5", "a"),
    ("urn:example:params:Extra:level eq 5.0", "a"),
    ("urn:example:params:Extra:level eq 5e0", "a"),
    ("urn:example:params:Extra:level lt 0", "b"),
    ("urn:example:params:Extra:level le -1", "b"),
    ("urn:example:params:Extra:level ne 5", "bc"),
    ("urn:example:params:Extra:level co 5", REFUSED),
    ("urn:example:params:Extra:level eq \"5\"", REFUSED),
    ("urn:example:params:Extra:rate ge 1.5", "ab"),
    ("urn:example:params:Extra:rate gt 1.50", "b"),
    ("urn:example:params:Extra:rate eq 2.0", "b"),
    ("urn:example:params:Extra:rate lt 1e1", "ab"),
    ("urn:example:params:Extra:since eq \"2020-02-29T10:00:00.500Z\"", "a"),
    ("urn:example:params:Extra:since gt \"2020-02-29\"", "a"),
    ("urn:example:params:Extra:since lt \"2020-02-29T10:00:00.5000000Z\"", ""),
    ("urn:example:params:Extra:since le \"2020-02-29T10:00:00.5000000Z\"", "a"),
    ("urn:example:params:Extra:since sw \"2020\"", REFUSED),
    ("urn:example:params:Extra:page sw \"https://X\"", ""),
    ("urn:example:params:Extra:page sw \"https://x\"", "a"),
    ("urn:example:params:Extra:page ew \"/P\"", "a"),
    ("profileUrl co \"?a=\"", "a"),
    ("urn:example:params:Extra:key eq \"QUJD\"", "a"),
    ("urn:example:params:Extra:key eq \"qujd\"", ""),
    ("urn:example:params:Extra:key gt \"A\"", REFUSED),
    ("id co \"-\"", "abc"),
    ("id sw \"\"", "abc"),
    ("id eq \"\"", ""),
    ("id gt \"0\"", "abc"),
    ("name pr", "a"),
    ("name eq null", "bc"),
    ("name ne null", "a"),
    ("not (name ne null)", "bc"),
    ("addresses eq null", "abc"),
    ("urn:example:params:Extra:desk eq null", "bc"),
    ("name eq \"Ada\"", REFUSED),
    ("name.givenName eq \"ADA\"", "a"),
    ("name[givenName eq \"ada\" and familyName co \"malley\"]", "a"),
    ("manager eq \"m1\"", "a"),
];

/// Several values, and what stands in brackets: it holds for one element as a whole.
const VALUES: Rows = &[
    ("emails pr", "ab"),
    ("emails eq null", "c"),
    ("not (emails pr)", "c"),
    ("emails co \"work\"", "ab"),
    ("emails.value ew \"home.example\"", "a"),
    ("emails.type eq \"home\" and emails.value sw \"ada@work\"", "a"),
    ("emails[type eq \"home\" and value sw \"ada@work\"]", ""),
    ("emails[type eq \"work\"]", "ab"),
    ("emails[ type eq \"work\" ]", "ab"),
    ("emails [type eq \"work\"]", REFUSED),
    ("emails[type eq \"work\"].value co \"ADA\"", "a"),
    ("emails[type eq \"work\"] .value co \"ada\"", REFUSED),
    ("emails[type eq \"work\"] co \"ada\"", "a"),
    ("emails[type eq \"work\"].value pr", "ab"),
    ("emails[type eq \"work\"] pr", "ab"),
    ("emails[not (type eq \"work\")]", "a"),
    ("emails[not(type eq \"work\")].value pr", "a"),
    ("emails[(type eq \"work\" or type eq \"home\") and value co \"home\"]", "a"),
    ("emails[type eq \"work\"] and emails[type eq \"home\"]", "a"),
    ("emails[type eq \"work\" and primary eq true]", "a"),
    ("emails[primary ne true]", "ab"),
    ("emails[type ne \"work\"]", "a"),
    ("emails[value pr and type eq \"work\"].type eq \"work\"", "ab"),
    ("emails[]", REFUSED),
    ("emails[type]", REFUSED),
    ("emails[type eq]", REFUSED),
    ("emails[type eq \"work\"", REFUSED),
    ("emails[type eq \"work\"]]", REFUSED),
    ("emails[emails.type eq \"work\"]", REFUSED),
    ("emails[userName eq \"ada\"]", REFUSED),
    ("emails[phoneNumbers[type eq \"work\"]]", REFUSED),
    ("emails.type[value eq \"x\"]", REFUSED),
    ("emails[type eq \"work\"][value pr]", REFUSED),
    ("emails[type eq \"work\"].value", REFUSED),
    ("emails[type eq \"work\"].nope pr", REFUSED),
    ("urn:example:params:Extra:tags eq \"BLUE\"", "a"),
    ("urn:example:params:Extra:tags co \"r\"", "ab"),
    ("urn:example:params:Extra:tags ne \"red\"", "abc"),
    ("not (urn:example:params:Extra:tags eq \"red\")", "bc"),
    ("urn:example:params:Extra:tags[value sw \"b\" or value sw \"g\"]", "ab"),
    ("emails[value eq \"ada@work.example\"].type ne \"home\"", "abc"),
    ("emails[value eq \"ada@work.example\"].type eq null", "bc"),
    ("emails[value eq \"ada@work.example\" or value eq \"BOB@work.example\"]", "ab"),
];

/// What is never returned is never compared, so that no filter tells it letter by letter.
const HIDDEN: Rows = &[
    ("password eq \"secret-1\"", REFUSED),
    ("password sw \"s\"", REFUSED),
    ("password pr", REFUSED),
    ("userName pr or password pr", REFUSED),
    ("not (password eq null)", REFUSED),
    ("urn:ietf:params:scim:schemas:core:2.0:User:PASSWORD co \"s\"", REFUSED),
];

#[test]
fn filters_mean_what_the_rfc_says() {
    on_both(|store| async {
        let world = people(store).await;
        check(&world, &[GRAMMAR, PRECEDENCE, NAMES, OPERATORS, VALUES, HIDDEN]).await;
        let long = "x".repeat(8_000);
        assert_eq!(found(&ask(&world, &format!("userName eq \"{long}\"")).await), "");
        assert_eq!(found(&ask(&world, &format!("not (displayName co \"{long}\")")).await), "abc");
        let answer = ask(&world, &format!("userName eq \"{long}{long}\"")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &Value::from("invalidFilter")));
    });
}
