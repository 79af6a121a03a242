//! The gallery: templates from which applications are added, as data files compiled into the program.

use std::sync::LazyLock;

use mapping::{ObjectMapping, ObjectType};
use serde::{Deserialize, Serialize};

use crate::object_plan::has_soft_delete;

/// How requests are written, where Entra's client and RFC 7644 differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// What Entra's client sends by default: capitalised operations, booleans as text, members removed by a value list.
    Entra,
    /// What Entra's client sends with the flag `aadOptscim062020`: lower-case operations, one operation without path.
    EntraCompliant,
    /// RFC 7644 to the letter: one operation with a path for each attribute.
    Rfc,
}

/// An application of the gallery: the defaults of a job that provisions it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about the application")]
pub struct Template {
    /// The name that commands take.
    pub name: String,
    /// The name that people see and search.
    pub title: String,
    /// What is special about it, in a sentence or two.
    pub description: String,
    /// How requests are written.
    pub dialect: Dialect,
    /// Whether people who have nothing but the role *Default Access* are left out.
    pub exclude_default_access: bool,
    /// Whether target attributes are also read from `/Schemas`.
    pub discovery: bool,
    /// Whether the application refuses a second user with the same matching value.
    pub unique_users: bool,
    /// Whether the application refuses a second group with the same matching value.
    pub unique_groups: bool,
    /// Members named in one PATCH at the most.
    pub members_per_request: usize,
    /// The default mappings: of users, and of groups where the application knows groups.
    pub objects: Vec<ObjectMapping>,
}

const FILES: [&str; 5] = [
    include_str!("../templates/forcepoint-csg.json"),
    include_str!("../templates/netskope.json"),
    include_str!("../templates/palo-alto-cie.json"),
    include_str!("../templates/storegate.json"),
    include_str!("../templates/scim.json"),
];

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let read = |text: &&str| serde_json::from_str(text).expect("a test reads every template");
    FILES.iter().map(read).collect()
});

impl Template {
    /// All templates, the non-gallery one last.
    pub fn all() -> &'static [Self] {
        &TEMPLATES
    }

    /// The template of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.name == name)
    }

    /// Templates whose name or title contains every word of the text, without case. An empty text finds all.
    pub fn search(text: &str) -> Vec<&'static Self> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let matches = |template: &&Self| {
            let name = format!("{} {}", template.name, template.title).to_lowercase();
            words.iter().all(|word| name.contains(word))
        };
        TEMPLATES.iter().filter(matches).collect()
    }

    /// Whether accounts of this type can be switched off at the application: its own mappings do so.
    pub fn has_soft_delete(&self, object: ObjectType) -> bool {
        self.objects.iter().any(|mapping| mapping.target_object == object && has_soft_delete(mapping))
    }

    /// Whether the application knows groups.
    pub fn has_groups(&self) -> bool {
        self.objects.iter().any(|object| object.target_object == ObjectType::Group)
    }
}

#[cfg(test)]
mod tests {
    use mapping::schema::{Difference, Names, SOURCE_DIRECTORY, read, write};

    use super::*;

    #[test]
    fn every_template_is_whole() {
        for template in Template::all() {
            for object in &template.objects {
                assert_eq!(object.check(), [], "{}", template.name);
            }
            assert_eq!(template.objects[0].target_object, ObjectType::User, "{}", template.name);
        }
    }

    #[test]
    fn the_schema_of_every_template_says_the_same() {
        for template in Template::all() {
            let names = Names {
                schema_id: "schema".to_owned(),
                rule_id: "rule".to_owned(),
                source_directory_id: "source".to_owned(),
                target_directory_id: "target".to_owned(),
                source_directory: SOURCE_DIRECTORY.to_owned(),
                target_directory: template.title.clone(),
            };
            let document = write(None, &template.objects, &names).document;
            let difference = Difference::between(&template.objects, &read(&document).objects);
            assert!(difference.is_empty(), "{}: {difference}", template.name);
        }
    }

    #[test]
    fn what_each_application_is_like() {
        let mut seen = Vec::new();
        for template in Template::all() {
            let users = &template.objects[0];
            seen.push((
                template.name.as_str(),
                users.attributes.len(),
                template.has_groups(),
                template.has_soft_delete(ObjectType::User),
                template.exclude_default_access,
            ));
        }
        assert_eq!(
            seen,
            [
                ("forcepoint-csg", 4, true, false, false),
                ("netskope", 7, true, true, true),
                ("palo-alto-cie", 31, true, true, false),
                ("storegate", 5, false, true, true),
                ("scim", 22, true, true, false),
            ]
        );
    }

    #[test]
    fn search_is_by_words_without_case() {
        let names = |text| Template::search(text).iter().map(|template| template.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names("PALO cloud"), ["palo-alto-cie"]);
        assert_eq!(names("authentication").len(), 3);
        assert_eq!(names("").len(), 5);
        assert!(names("no such thing").is_empty());
    }
}
