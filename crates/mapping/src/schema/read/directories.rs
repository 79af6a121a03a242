//! Whether the directories of a document have the definitions that an object mapping names. Without them it works, but what they say of
//! attributes does not count.

use super::super::document::{Directory, Member, ObjectDefinition};
use super::super::finding::Finding;
use super::object::Reading;
use crate::nearest::nearest;

/// What the definitions of the target say.
const TARGET: &str = "so nothing is known of its attributes: which are required, and the attribute list";
/// What those of the source say.
const SOURCE: &str = "so no attribute of it may flow null";

impl Reading<'_> {
    /// Tells what an object mapping names and the directories lack, or have twice. Nothing where there are no directories at all.
    pub(super) fn directories(&mut self) {
        let directories = self.schema.directories.items();
        if directories.is_empty() {
            return;
        }
        let (rule, entry) = (self.rule, self.entry);
        for (side, directory, object, consequence) in [
            ("target", &rule.target_directory_name, &entry.target_object_name, TARGET),
            ("source", &rule.source_directory_name, &entry.source_object_name, SOURCE),
        ] {
            let place = format!("{}, {side} directory {}", self.place, directory.text());
            let Some(directory) =
                self.one_of(directories, directory, |one: &Directory| one.name.text(), &place, consequence)
            else {
                continue;
            };
            let objects = directory.objects.items();
            let place = format!("{place}, {side} object {}", object.text());
            self.one_of(objects, object, |one: &ObjectDefinition| one.name.text(), &place, consequence);
        }
    }

    /// The first of a list that has the name.
    fn one_of<'l, T>(
        &mut self,
        list: &'l [T],
        name: &Member<String>,
        name_of: impl Fn(&T) -> &str,
        place: &str,
        consequence: &str,
    ) -> Option<&'l T> {
        let name = name.text();
        // As where they are read: exactly so, or but for the case.
        let exact: Vec<&T> = list.iter().filter(|one| name_of(one) == name).collect();
        let found = if exact.is_empty() {
            list.iter().filter(|one| name_of(one).eq_ignore_ascii_case(name)).collect()
        } else {
            exact
        };
        let reason = match found.len() {
            1 => return Some(found[0]),
            0 if name.is_empty() => format!("the document does not say which it is, {consequence}"),
            0 => {
                let meant = nearest(name, list.iter().map(&name_of));
                let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                format!("the document defines no `{name}` there, {consequence}{meant}")
            }
            count => {
                format!("the document defines `{name}` {count} times; the first definition counts, the others do not")
            }
        };
        self.findings.push(Finding::different(place, reason));
        found.first().copied()
    }
}
