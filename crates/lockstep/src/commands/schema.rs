//! `schema export`, `import`, `convert`: the mappings of an application as Microsoft Graph's synchronization schema. What a document means,
//! and what of it is not supported, is the mapping crate's.

use std::path::Path;

use directory::Application;
use mapping::counted;
use mapping::schema::document::DOCUMENT_BYTES_MAX;
use mapping::schema::{Difference, Document, Finding, Imported, Severity, read};
use provisioning::configuration::{JobConfiguration, PlainSettings, keys_given_twice};
use provisioning::{JobChange, Outlook, SchemaBase, Template};
use serde_json::json;

use super::mapping_versions::{scope_warnings, show_before_asking};
use super::{configuration, find};
use crate::ask::confirm;
use crate::cli::{SchemaConvertArgs, SchemaFileCommand, SchemaImportArgs};
use crate::files::{cannot_write, is_standard, read_text, refuse_other, shown as shown_path};
use crate::outcome::{Outcome, usage};
use crate::output::{Output, aside, note, write_raw};
use crate::world::World;

/// Carries out `schema`.
pub async fn run(command: SchemaFileCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        SchemaFileCommand::Export { app, file, force } => {
            export(world, output, app.as_deref(), file.as_deref(), force).await?;
            Ok(Outcome::Done)
        }
        SchemaFileCommand::Import(args) => import(world, output, &args).await,
        SchemaFileCommand::Convert(args) => convert(&args, output),
    }
}

async fn export(
    world: &World,
    output: Output,
    app: Option<&str>,
    file: Option<&Path>,
    force: bool,
) -> anyhow::Result<()> {
    let app = find::application_or_only(world, app).await?;
    let exported = world.engine()?.schema(app.id).await?;
    let text = exported.document.to_text();
    for line in told_findings(&exported.findings) {
        aside(&line);
    }
    // What is printed is the document itself, with --json too: it is JSON.
    let Some(path) = file.filter(|path| !is_standard(path)) else { return Ok(write_raw(text.as_bytes())?) };
    let shown = path.display();
    refuse_other(path, &text, force)?;
    std::fs::write(path, &text).map_err(|error| cannot_write(path, error))?;
    if output.is_json() {
        return output.json(&json!({ "app": app.id, "name": app.name, "file": path, "findings": exported.findings }));
    }
    output.line(&format!("The schema of {} was written to {shown}", app.name))
}

/// Findings for people, a line each, the weighty ones first; one that is found in many places is told once, with the list of them.
fn told_findings(findings: &[Finding]) -> Vec<String> {
    let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for finding in findings {
        let same = |(first, _): &&mut (&Finding, _)| {
            (first.severity, first.reason.as_str()) == (finding.severity, finding.reason.as_str())
        };
        match groups.iter_mut().find(same) {
            Some((_, places)) => places.push(finding.shown_place()),
            None => groups.push((finding, vec![finding.shown_place()])),
        }
    }
    groups.sort_by_key(|(first, _)| first.severity);
    let line = |(first, places): &(&Finding, Vec<&str>)| match places.as_slice() {
        [_] => first.to_string(),
        several => format!("{}: {}: at {}", first.severity, first.reason, several.join("; ")),
    };
    groups.iter().map(line).collect()
}

/// Parts that are left out of a file are told by their places up to this many.
const LEFT_OUT_TOLD_MAX: usize = 10;

/// What a file does not have of the document that it was made of, which is kept nowhere.
fn not_kept(findings: &[Finding]) -> String {
    let is_left_out = |finding: &&Finding| finding.severity == Severity::NotSupported;
    let left_out: Vec<&str> = findings.iter().filter(is_left_out).map(Finding::shown_place).collect();
    let without = if left_out.is_empty() {
        String::new()
    } else {
        let shown = left_out[..left_out.len().min(LEFT_OUT_TOLD_MAX)].join("; ");
        let more = left_out.len().saturating_sub(LEFT_OUT_TOLD_MAX);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!(", and without what was left out ({shown}{more})")
    };
    format!(
        "the document itself is not kept: the file has its mappings, filters and attribute lists alone, without ids, metadata and other definitions{without}; `lockstep schema import` into an application, without --to, keeps it, and exports are made from it"
    )
}

/// A document that was read, with its text.
struct Given {
    text: String,
    document: Document,
    imported: Imported,
}

fn given(file: &Path) -> anyhow::Result<Given> {
    let shown = shown_path(file);
    let text = read_text(file, "the schema in", DOCUMENT_BYTES_MAX as u64, "is no synchronization schema")?;
    let document = Document::parse(text.as_bytes()).map_err(|error| usage(format!("{shown}: {error}")))?;
    for twice in keys_given_twice(&text) {
        note(&format!("{shown}: {twice}"));
    }
    let imported = read(&document);
    Ok(Given { text, document, imported })
}

impl Given {
    /// Prints the report, for people.
    fn report(&self, output: Output, to_errors: bool) -> anyhow::Result<()> {
        for line in told_findings(&self.imported.findings) {
            if to_errors {
                aside(&line);
            } else {
                output.line(&line)?;
            }
        }
        Ok(())
    }

    /// Whether so much cannot be read that nothing can be said of the rest.
    fn is_blocked(&self) -> bool {
        self.imported.objects.is_empty() || self.imported.findings.iter().any(|finding| finding.blocks)
    }

    /// Refuses what must not be carried out, with what is wrong with the job that would come of it.
    fn check(&self, file: &Path, leave_out: bool, problems: &[String]) -> anyhow::Result<()> {
        let shown = shown_path(file);
        let mut lines: Vec<String> = self.refusal(leave_out).into_iter().map(|why| format!("{shown} {why}")).collect();
        lines.extend(problems.iter().map(|problem| format!("{shown} cannot be taken over: {problem}")));
        if lines.is_empty() { Ok(()) } else { Err(usage(lines.join("\nerror: "))) }
    }

    /// Why the document itself must not be carried out.
    fn refusal(&self, leave_out: bool) -> Option<String> {
        if self.imported.may_be_carried_out(leave_out) {
            return None;
        }
        let findings = &self.imported.findings;
        let blocking: Vec<&Finding> = findings.iter().filter(|finding| finding.blocks).collect();
        if let Some(first) = blocking.first() {
            let more = if blocking.len() > 1 { format!(" (and {} more)", blocking.len() - 1) } else { String::new() };
            return Some(format!("cannot be taken over: {first}{more}"));
        }
        let lost = findings.iter().filter(|finding| finding.severity == Severity::NotSupported).count();
        Some(format!(
            "was not taken over: {} of it would be left out, as told above; say --leave-out to take over the rest",
            counted(lost as u64, "part")
        ))
    }
}

async fn import(world: &World, output: Output, args: &SchemaImportArgs) -> anyhow::Result<Outcome> {
    let app = find::application_or_only(world, args.app.as_deref()).await?;
    let mut given = given(&args.file)?;
    if !output.is_json() {
        given.report(output, false)?;
    }
    let engine = world.engine()?;
    given.imported.objects = engine.as_mapped(app.id, given.imported.objects).await?;
    let latest = engine.mapping_version(app.id, None).await?;
    let (mut difference, mut outlook) = (Difference::default(), Outlook::default());
    if !given.is_blocked() {
        difference = Difference::between(&latest.objects, &given.imported.objects);
        let change = JobChange { objects: Some(given.imported.objects.clone()), ..JobChange::default() };
        outlook = engine.look_ahead(app.id, &change).await?;
        outlook.warnings.splice(..0, scope_warnings(&engine, app.id, &change).await?);
    }
    let import = Import { args, app, given, latest: latest.head.version, difference, outlook };
    if args.dry_run {
        return import.told(output, None);
    }
    if let Err(error) = import.check() {
        if output.is_json() {
            import.told(output, None)?;
        }
        return Err(error);
    }
    if let Some(path) = &args.to {
        let now = engine.configuration(import.app.id, false).await?;
        let job = JobConfiguration { objects: Some(import.given.imported.objects), ..now };
        configuration::put(output, &import.app.name, &job.to_toml(), Some(path), args.force)?;
        note(&not_kept(&import.given.imported.findings));
        return Ok(Outcome::Done);
    }
    import.carry_out(world, output).await
}

/// An import, with what it would change.
struct Import<'i> {
    args: &'i SchemaImportArgs,
    app: Application,
    given: Given,
    latest: i64,
    /// None where it cannot be said.
    difference: Difference,
    outlook: Outlook,
}

impl Import<'_> {
    /// Refuses what must not be carried out.
    fn check(&self) -> anyhow::Result<()> {
        self.given.check(&self.args.file, self.args.leave_out, &self.outlook.problems)
    }

    /// Asks, and takes the mappings over.
    async fn carry_out(&self, world: &World, output: Output) -> anyhow::Result<Outcome> {
        let name = &self.app.name;
        if !output.is_json() && self.difference.is_empty() {
            show(output, &self.difference, name)?;
        }
        if output.is_json() && !self.args.yes && !self.difference.is_empty() {
            self.given.report(output, true)?;
        }
        show_before_asking(output, &self.difference, &self.outlook.warnings, self.args.yes)?;
        if !self.difference.is_empty() {
            confirm(&format!("Give {name} these mappings? Its next cycle looks at everything again."), self.args.yes)?;
        }
        let change = JobChange {
            objects: Some(self.given.imported.objects.clone()),
            schema: SchemaBase::Imported(self.given.text.clone()),
            reason: Some(format!("the schema {} was imported", self.file_name())),
            if_mapping_version: Some(self.latest),
            ..JobChange::default()
        };
        let engine = world.engine()?;
        let is_changed = engine.change_mappings(self.app.id, change).await?.is_some();
        let version = engine.mapping_version(self.app.id, None).await?.head.version;
        self.told(output, Some((is_changed, version)))
    }

    fn file_name(&self) -> String {
        let file = &self.args.file;
        let name = file.file_name().filter(|_| !is_standard(file));
        name.map_or_else(|| shown_path(file), |name| name.to_string_lossy().into_owned())
    }

    /// Tells what was done, with whether it changed anything and the version since; or what would be where nothing was done.
    fn told(&self, output: Output, done: Option<(bool, i64)>) -> anyhow::Result<Outcome> {
        let (name, (is_changed, version)) = (&self.app.name, done.unwrap_or((false, self.latest)));
        let stops = self.check().err();
        let outcome = if stops.is_none() { Outcome::Done } else { Outcome::SomeFailed };
        if output.is_json() {
            output.json(&json!({
                "app": self.app.id, "name": name, "changed": is_changed, "version": version,
                "findings": self.given.imported.findings, "problems": self.outlook.problems, "stops": stops.is_some(),
                "changes": self.difference, "warnings": self.outlook.warnings,
            }))?;
        } else if done.is_none() {
            if !self.given.is_blocked() {
                show(output, &self.difference, name)?;
            }
            self.outlook.warnings.iter().try_for_each(|warning| output.line(&format!("WARNING: {warning}")))?;
            match stops {
                Some(why) => {
                    let why = why.to_string().replace("\nerror: ", "\n");
                    output.line(&format!("Nothing was done, and without --dry-run the import would stop:\n{why}"))?;
                }
                None => output.line("Nothing was done; without --dry-run this would be imported")?,
            }
        } else {
            output.line(&taken_over(name, &self.file_name(), is_changed, &self.difference, version))?;
        }
        Ok(outcome)
    }
}

/// What an import has done. One without other mappings keeps the document alone, of which exports are made.
fn taken_over(name: &str, file: &str, is_changed: bool, difference: &Difference, version: i64) -> String {
    let (again, kept) = match (difference.is_empty(), is_changed) {
        (true, true) => (" already", "; the document is kept, and exports are made from it"),
        (true, false) => (" already", ""),
        (false, _) => ("", ""),
    };
    format!("{name} has the mappings of {file}{again}{kept} (version {version})")
}

fn show(output: Output, difference: &Difference, name: &str) -> anyhow::Result<()> {
    if difference.is_empty() {
        return output.line(&format!("The mappings of {name} stay as they are"));
    }
    output.difference(&difference.to_string())
}

/// Carries out `schema convert`, which needs no data.
pub fn convert(args: &SchemaConvertArgs, output: Output) -> anyhow::Result<Outcome> {
    let Some(template) = Template::by_name(&args.template) else {
        let names: Vec<&str> = Template::all().iter().map(|template| template.name.as_str()).collect();
        return Err(usage(format!("no gallery template is named {:?}; there are {}", args.template, names.join(", "))));
    };
    let given = given(&args.file)?;
    // What is printed is the file, so what is said of it goes elsewhere.
    given.report(output, true)?;
    let name = args.name.clone().unwrap_or_else(|| target_directory(&given.document));
    let job = JobConfiguration {
        name: name.clone(),
        template: template.name.clone(),
        tenant_url: args.tenant_url.clone(),
        on: None,
        settings: PlainSettings::default_of(template),
        roles: None,
        objects: Some(given.imported.objects.clone()),
        users: None,
        groups: None,
    };
    let outlook = if given.is_blocked() { Outlook::default() } else { job.outlook(template) };
    given.check(&args.file, args.leave_out, &outlook.problems)?;
    for warning in &outlook.warnings {
        aside(&format!("WARNING: {warning}"));
    }
    if args.tenant_url.is_none() {
        note(
            "write the application's Tenant URL into the file as tenantUrl = \"https://…\", if it is to make a new application",
        );
    }
    configuration::put(output, &name, &job.to_toml(), args.to.as_deref(), args.force)?;
    note(&not_kept(&given.imported.findings));
    Ok(Outcome::Done)
}

/// The name of the directory that the document's first rule ends at.
fn target_directory(document: &Document) -> String {
    let rules = document.schema.synchronization_rules.items();
    let name = rules.iter().map(|rule| rule.target_directory_name.text()).find(|name| !name.trim().is_empty());
    name.map_or_else(|| "Imported".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_lacks_of_its_document_is_told_with_what_was_left_out() {
        let finding = |severity, place: &str| Finding {
            severity,
            blocks: false,
            place: place.to_owned(),
            short_place: None,
            reason: "it is so".to_owned(),
        };
        let kept = not_kept(&[finding(Severity::Note, "users")]);
        assert!(kept.starts_with("the document itself is not kept") && !kept.contains("left out"), "{kept}");
        let mut findings = vec![finding(Severity::Note, "users"), finding(Severity::NotSupported, "users: title")];
        assert!(not_kept(&findings).contains(", and without what was left out (users: title); "));
        findings.extend((0..LEFT_OUT_TOLD_MAX).map(|index| finding(Severity::NotSupported, &format!("rule {index}"))));
        assert!(not_kept(&findings).contains("; rule 8; and 1 more); "), "{}", not_kept(&findings));
    }

    #[test]
    fn the_same_finding_is_told_once_with_the_list_of_its_places() {
        let finding = |severity, place: &str, reason: &str| Finding {
            severity,
            blocks: false,
            place: format!("rule A, object mapping B, {place}"),
            short_place: Some(place.to_owned()),
            reason: reason.to_owned(),
        };
        let findings = [
            finding(Severity::Note, "users", "it is kept"),
            finding(Severity::Different, "users: title", "it is compared with case"),
            finding(Severity::NotSupported, "groups", "it has no function `X`"),
            finding(Severity::Different, "users: locale", "it is compared with case"),
        ];
        assert_eq!(
            told_findings(&findings),
            [
                "not supported: groups: it has no function `X`",
                "different: it is compared with case: at users: title; users: locale",
                "note: users: it is kept",
            ]
        );
    }
}
