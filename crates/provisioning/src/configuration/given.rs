//! Mappings and filters that are given in a file: as JSON, as `app show --json` prints them, or as the TOML file of a job. Every problem is
//! told at once and at its place.

use mapping::validation::UnreadMappings;
use mapping::{ObjectMapping, ObjectType, ScopingFilters};
use store::{AppId, ReadTx};
use toml::Spanned;
use toml::de::DeValue;

use super::places::Places;
use super::read::{filters, objects, toml_of};
use super::rows::{Item, Reader, member};
use super::{BadConfiguration, CONFIGURATION_BYTES_MAX, ConfigurationProblem, PROBLEMS_KEPT_MAX, json};
use crate::engine::Engine;
use crate::job::JobError;
use crate::settings::{JobSettings, sentences};
use crate::surroundings::missing_groups;
use crate::trial::Draft;

const NO_MAPPINGS: &str = "it holds no list of mappings, as lockstep app show --json prints it under `mappings`, or lockstep config export writes it";
const NO_FILTERS: &str = r#"it holds no list of filters such as [{"name": "Sales", "clauses": [{"attribute": "department", "operator": "EQUALS", "value": "Sales"}]}]"#;
const A_SCHEMA: &str = "it is a synchronization schema of Microsoft Graph; take it over with lockstep schema import, or make it the file of a job with lockstep schema convert";

/// The mappings of a job: a list of them, or a document that has it under `mappings`.
pub fn mappings_of(text: &str) -> Result<Vec<ObjectMapping>, BadConfiguration> {
    GivenMappings::read(text)?.whole()
}

/// Mappings of a file as far as they can be read.
#[derive(Clone, Debug)]
pub struct GivenMappings {
    objects: Vec<ObjectMapping>,
    places: Places,
    unread: UnreadMappings,
    problems: Vec<ConfigurationProblem>,
}

impl GivenMappings {
    /// Reads what can be read. The rest is told by [`Engine::check_given`], together with what is wrong with the mappings. Fails where the
    /// file is neither JSON nor TOML.
    pub fn read(text: &str) -> Result<Self, BadConfiguration> {
        let mut document = Document::read(text)?;
        let (mut places, mut unread) = (Places::default(), UnreadMappings::default());
        let before = document.reader.problems.len();
        let objects = document.mappings(&mut places, &mut unread);
        // Of a key that is there twice, the other value may be what seems to be missing.
        if before > 0 {
            for of_object in unread.objects.values_mut() {
                (of_object.more_mappings, of_object.settings) = (true, true);
            }
        }
        Ok(Self { objects, places, unread, problems: document.reader.problems })
    }

    /// The mappings; everything that could not be read where there is such.
    pub fn whole(self) -> Result<Vec<ObjectMapping>, BadConfiguration> {
        if self.problems.is_empty() { Ok(self.objects) } else { Err(BadConfiguration::of(self.problems)) }
    }
}

impl Engine {
    /// Mappings of a file that a job may take. Else all that is wrong with them, at once and at its place.
    pub async fn check_given(&self, app: AppId, given: GivenMappings) -> Result<Vec<ObjectMapping>, JobError> {
        let (_, template, before) = self.load(app).await?;
        if given.problems.is_empty() && given.objects == before.objects {
            return Ok(given.objects);
        }
        let after = JobSettings { objects: given.objects.clone(), ..before.clone() };
        let mut found = after.problems_of_part(template, self.installation(), &given.unread);
        // What is wrong with other settings is not the file's.
        found.retain(|problem| problem.settings.is_empty());
        let missing = self.store().read(move |tx: &mut ReadTx<'_>| missing_groups(tx, &before.objects, &after.objects));
        found.extend(missing.await?);
        let GivenMappings { objects, places, mut problems, .. } = given;
        problems.extend(found.into_iter().map(|problem| {
            let place = places.of(&problem.place);
            ConfigurationProblem { place, what: problem.what }
        }));
        if problems.is_empty() { Ok(objects) } else { Err(BadConfiguration::of(problems).into()) }
    }

    /// What is wrong with mappings, of which something could not be read, beside that; each is one sentence.
    pub async fn problems_of_part(
        &self,
        app: AppId,
        objects: Vec<ObjectMapping>,
        unread: &UnreadMappings,
    ) -> Result<Vec<String>, JobError> {
        let (_, template, before) = self.load(app).await?;
        let after = JobSettings { objects, ..before.clone() };
        let mut found = after.problems_of_part(template, self.installation(), unread);
        let missing = self.store().read(move |tx: &mut ReadTx<'_>| missing_groups(tx, &before.objects, &after.objects));
        found.extend(missing.await?);
        Ok(sentences(found))
    }
}

/// A list of filters; or the scoping filters of an object type in a list of mappings, or in a document that has either under `mappings` or
/// `scoping`.
pub fn filters_of(text: &str, object: ObjectType) -> Result<ScopingFilters, BadConfiguration> {
    let mut document = Document::read(text)?;
    if let Some(inner) = document.inner("scoping") {
        document.item = inner;
    }
    let list = document.inner("mappings").unwrap_or_else(|| document.item.clone());
    let items = list.get_ref().as_array();
    if items.is_some_and(|items| items.iter().any(|item| item.get_ref().get("attributes").is_some())) {
        return Ok(Draft::read(text, object)?.mapping.scoping);
    }
    if items.is_none() {
        return Err(BadConfiguration::whole(document.instead_of(NO_FILTERS)));
    }
    let read = filters(&mut document.reader, &list);
    document.done(read)
}

/// The keys that an object of a JSON document has twice: the last of them counts, which is seldom meant. Empty where it is no JSON.
pub fn keys_given_twice(text: &str) -> Vec<ConfigurationProblem> {
    let Ok(read) = json::parse(text) else { return Vec::new() };
    let mut reader = Reader::new(text);
    for (byte, key) in read.twice.into_iter().take(PROBLEMS_KEPT_MAX) {
        reader
            .problem(byte, format!("`{key}` is there twice in one object, and only the last counts; keep one of them"));
    }
    BadConfiguration::of(reader.problems).0
}

impl Draft {
    /// Reads mappings as [`mappings_of`] does, and gives the one of an object type. Expressions that cannot be parsed are kept with their errors.
    pub fn read(text: &str, object: ObjectType) -> Result<Self, BadConfiguration> {
        let mut document = Document::read(text)?;
        document.reader.unparsed = Some(std::collections::BTreeMap::new());
        let read = document.mappings(&mut Places::default(), &mut UnreadMappings::default());
        let found = read.into_iter().enumerate().find(|(_, mapping)| mapping.source_object == object);
        let unparsed = document.reader.unparsed.take().unwrap_or_default();
        let list = document.list();
        document.done(())?;
        let Some((index, mapping)) = found else {
            let objects = object.plural();
            return Err(BadConfiguration::whole(format!("it has no mapping of {objects}")));
        };
        // Nothing was wrong, so nothing was left out, and the places are those of the list.
        let rows =
            list.as_ref().and_then(|list| list.get_ref().get(index)?.get_ref().get("attributes")?.get_ref().as_array());
        let rows = rows.into_iter().flat_map(|rows| rows.iter().enumerate());
        let unparsed =
            rows.filter_map(|(place, row)| Some((place, unparsed.get(&row.span().start)?.clone()))).collect();
        Ok(Self { mapping, unparsed, told: Vec::new() })
    }
}

/// A file, as JSON or TOML.
struct Document<'t> {
    item: Item<'t>,
    reader: Reader<'t>,
}

impl<'t> Document<'t> {
    fn read(text: &'t str) -> Result<Self, BadConfiguration> {
        if text.len() as u64 > CONFIGURATION_BYTES_MAX {
            let what = format!("it has more than {CONFIGURATION_BYTES_MAX} bytes, and mappings and filters have fewer");
            return Err(BadConfiguration::whole(what));
        }
        let mut reader = Reader::new(text);
        if !json::is_json(text) {
            let table = toml_of(text)?;
            return Ok(Self { item: Spanned::new(0..text.len(), DeValue::Table(table)), reader });
        }
        let read = json::parse(text).map_err(|problem| BadConfiguration(vec![problem]))?;
        for (byte, key) in read.twice.into_iter().take(PROBLEMS_KEPT_MAX) {
            reader.problem(byte, format!("`{key}` is there twice; keep one of them"));
        }
        Ok(Self { item: read.item, reader })
    }

    fn inner(&self, key: &str) -> Option<Item<'t>> {
        self.item.get_ref().as_table().and_then(|table| member(table, key)).cloned()
    }

    fn list(&self) -> Option<Item<'t>> {
        self.inner("mappings").or_else(|| Some(self.item.clone()).filter(|item| item.get_ref().is_array()))
    }

    fn mappings(&mut self, places: &mut Places, unread: &mut UnreadMappings) -> Vec<ObjectMapping> {
        if let Some(list) = self.list() {
            return objects(&mut self.reader, &list, places, unread);
        }
        unread.more = true;
        let what = self.instead_of(NO_MAPPINGS).to_owned();
        self.reader.problems.push(ConfigurationProblem { place: None, what });
        Vec::new()
    }

    /// What to say of a document that does not hold what is looked for.
    fn instead_of(&self, what: &'static str) -> &'static str {
        if self.inner("synchronizationRules").is_some() { A_SCHEMA } else { what }
    }

    fn done<T>(self, read: T) -> Result<T, BadConfiguration> {
        if self.reader.problems.is_empty() { Ok(read) } else { Err(BadConfiguration::of(self.reader.problems)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::configuration::mappings_text;
    use crate::gallery::Template;

    fn users(attributes: &Value) -> Value {
        json!([{ "sourceObject": "User", "targetObject": "User", "attributes": attributes,
            "scoping": [{ "name": "Sales", "clauses": [{ "attribute": "department", "operator": "EQUALS", "value": "Sales" }] }] }])
    }

    fn told<T>(read: Result<T, BadConfiguration>) -> String {
        read.err().map(|bad| bad.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")).unwrap_or_default()
    }

    #[test]
    fn mappings_are_read_in_each_form() {
        for template in Template::all() {
            let objects = &template.objects;
            let json = serde_json::to_string_pretty(&objects).unwrap();
            let job = format!("name = \"CRM\"\n{}", mappings_text(objects));
            for text in [json.clone(), format!("{{\"name\": \"CRM\", \"next\": null, \"mappings\": {json}}}"), job] {
                assert_eq!(mappings_of(&text).as_ref(), Ok(objects), "{text}");
            }
        }
    }

    #[test]
    fn every_problem_of_mappings_is_told_at_its_place() {
        let text = r#"[{ "sourceObject": "User", "targetObject": "User", "attributes": [
  { "target": "title", "source": "Apend([jobTitle])" },
  { "target": "locale", "flowType": "Sometimes", "matchingPriority": "1" },
  { "target": "x", "target": "y" },
  { "source": "[mail]" }
], "scoping": [{ "name": "F", "clauses": [
  { "attribute": "department", "operator": "EQUAL", "value": "x" },
  { "attribute": "department", "operator": "EQUALS" },
  { "attribute": "employeeId", "operator": "Greater_Than", "value": "abc" } ] }] }]"#;
        insta::assert_snapshot!(told(mappings_of(text)), @r#"
line 2, column 34: there is no function `Apend`, at character 1; did you mean `Append`?
    Apend([jobTitle])
    ^
line 3, column 37: `flowType` of an attribute mapping cannot have `Sometimes`; there are Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly, AttributeAddOnly
line 3, column 70: `matchingPriority` of an attribute mapping cannot be the text "1"; it must be a whole number, not negative, without quotation marks
line 4, column 20: `target` is there twice; keep one of them
line 5, column 3: an attribute mapping has no `target`
line 7, column 44: `operator` of clause 1 of the filter `F`: there is no operator `EQUAL`; did you mean `EQUALS`?
line 8, column 3: clause 2 of the filter `F`: `department EQUALS` needs a value
line 9, column 69: `value` of clause 3 of the filter `F`: `employeeId Greater_Than` needs a whole number, such as 1000
"#);
        assert_eq!(
            told(mappings_of("[{]")),
            "line 1, column 3: this is no JSON: a name in quotation marks is expected here"
        );
    }

    #[test]
    fn a_broken_expression_hides_no_other() {
        let list = users(&json!([
            { "target": "userName", "source": "[userPrincipalName", "matchingPriority": 1 },
            { "target": "title", "source": "[jobTitle]" },
            { "target": "displayName", "source": "Apend([givenName], \"x\")" },
        ]));
        for document in [list.clone(), json!({ "name": "CRM", "mappings": list })] {
            let draft = Draft::read(&document.to_string(), ObjectType::User).unwrap();
            assert_eq!(draft.unparsed.keys().collect::<Vec<_>>(), [&0, &2]);
            assert_eq!(draft.unparsed[&2].text, "Apend([givenName], \"x\")");
            assert_eq!(draft.unparsed[&2].error.suggestion.as_deref(), Some("Append"));
            let sources: Vec<String> = draft.mapping.attributes.iter().map(|one| one.source.to_string()).collect();
            assert_eq!(sources, ["", "[jobTitle]", ""]);
        }
    }

    #[test]
    fn what_holds_no_mappings_is_told() {
        for (document, words) in [
            (json!({}), "it holds no list of mappings"),
            (json!({ "synchronizationRules": [] }), "it is a synchronization schema of Microsoft Graph; take it over"),
            (json!([]), "it has no mapping of groups"),
            (users(&json!([])), "it has no mapping of groups"),
        ] {
            let told = told(Draft::read(&document.to_string(), ObjectType::Group));
            assert!(told.starts_with(words), "{document}: {told}");
        }
        assert!(told(mappings_of("name = 1")).starts_with("it holds no list of mappings"));
    }

    #[test]
    fn filters_stand_alone_or_in_a_mapping() {
        let of_mapping = users(&json!([{ "target": "x", "source": "Apend(" }]));
        let alone = of_mapping[0]["scoping"].clone();
        let expected: ScopingFilters = serde_json::from_value(alone.clone()).unwrap();
        for document in
            [alone.clone(), json!({ "scoping": alone }), of_mapping.clone(), json!({ "mappings": of_mapping })]
        {
            assert_eq!(filters_of(&document.to_string(), ObjectType::User).unwrap(), expected, "{document}");
        }
        let toml = "[[mappings]]\nsourceObject = \"User\"\ntargetObject = \"User\"\nattributes = []\n[[mappings.scoping]]\nname = \"Sales\"\nclauses = [{ attribute = \"department\", operator = \"EQUALS\", value = \"Sales\" }]\n";
        assert_eq!(filters_of(toml, ObjectType::User).unwrap(), expected);
        assert!(filters_of("[]", ObjectType::User).unwrap().is_empty());
        let wrong = r#"[{ "name": "F", "clauses": [{ "attribute": "a", "operator": "EQUAL", "value": "x" }, { "attribute": "a" }] }]"#;
        assert_eq!(
            told(filters_of(wrong, ObjectType::User)),
            "line 1, column 61: `operator` of clause 1 of the filter `F`: there is no operator `EQUAL`; did you mean `EQUALS`?\nline 1, column 86: clause 2 of the filter `F` has no `operator`"
        );
        assert!(
            told(filters_of("{}", ObjectType::User))
                .starts_with("it holds no list of filters such as [{\"name\": \"Sales\"")
        );
    }

    #[test]
    fn keys_that_are_there_twice_are_found() {
        let told: Vec<String> = keys_given_twice("{\"a\": 1,\n \"a\": 2}").iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["line 2, column 2: `a` is there twice in one object, and only the last counts; keep one of them"]
        );
        assert_eq!(keys_given_twice("{"), []);
    }
}
