//! `config export`, `diff`, `apply`: jobs as files for version control. What a file says is read, compared and applied by the provisioning
//! service; here are files, questions and answers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::bail;
use directory::Application;
use mapping::counted;
use provisioning::JobError;
use provisioning::configuration::{BadConfiguration, CONFIGURATION_BYTES_MAX, ConfigurationFile, Proposal};
use serde_json::{Value, json};

use super::app::tested;
use super::find;
use crate::ask::{confirm, secret_token};
use crate::cli::ConfigCommand;
use crate::files::{STANDARD, cannot_write, is_standard, read_text, refuse_other, shown as shown_path};
use crate::outcome::{Outcome, usage};
use crate::output::{Output, aside, note, write_raw};
use crate::world::World;

/// People and groups who lose their account that are told by name.
const LOSING_TOLD_MAX: usize = 20;
/// The longest name of a file that is made of an application's.
const FILE_NAME_MAX: usize = 80;
/// What the names of the files end with.
const EXTENSION: &str = "toml";

/// Carries out `config`.
pub async fn run(command: ConfigCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Export { app: _, all: true, without_assignments, path: Some(folder), force } => {
            export_all(world, output, !without_assignments, &folder, force).await?;
            Ok(Outcome::Done)
        }
        ConfigCommand::Export { app, all: _, without_assignments, path, force } => {
            let app = find::application_or_only(world, app.as_deref()).await?;
            let text = world.engine()?.configuration(app.id, !without_assignments).await?.to_toml();
            let path = path.map(|path| if path.is_dir() { path.join(file_name(&app.name)) } else { path });
            put(output, &app.name, &text, path.as_deref(), force)?;
            Ok(Outcome::Done)
        }
        ConfigCommand::Diff { files, exit_code } => diff(world, output, &files, exit_code).await,
        ConfigCommand::Apply { files, secret_token_file, yes } => {
            apply(world, output, &files, secret_token_file.as_deref(), yes).await
        }
    }
}

async fn export_all(
    world: &World,
    output: Output,
    assignments: bool,
    folder: &Path,
    force: bool,
) -> anyhow::Result<()> {
    let apps = world.store().read(directory::applications).await?;
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
    let mut texts: Vec<(Application, PathBuf, String)> = Vec::new();
    let mut taken = BTreeSet::new();
    for app in apps {
        let text = match world.engine()?.configuration(app.id, assignments).await {
            Ok(configuration) => configuration.to_toml(),
            // An application without a job has nothing to be written down.
            Err(JobError::NotFound) => continue,
            Err(error) => return Err(error.into()),
        };
        let path = folder.join(free_name(&app.name, &mut taken));
        refuse_other(&path, &text, force)?;
        texts.push((app, path, text));
    }
    let mut told = Vec::new();
    for (app, path, text) in &texts {
        std::fs::write(path, text).map_err(|error| cannot_write(path, error))?;
        told.push(json!({ "app": app.id, "name": app.name, "file": path }));
    }
    if output.is_json() {
        return output.json(&told);
    }
    output.line(&format!("{} written to {}", counted(texts.len() as u64, "job"), folder.display()))
}

/// A name for the file of an application: its letters and digits, in lower case, the rest as dashes.
fn file_name(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            words.push(c);
        } else if !words.ends_with('-') {
            words.push('-');
        }
    }
    let short: String = words.trim_matches('-').chars().take(FILE_NAME_MAX).collect();
    let stem = if short.is_empty() { "job" } else { &short };
    format!("{stem}.{EXTENSION}")
}

/// The same, or with the first number that no other file has.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let first = file_name(name);
    let stem = first.trim_end_matches(".toml").to_owned();
    let (mut free, mut number) = (first, 1_u32);
    while !taken.insert(free.clone()) {
        number += 1;
        free = format!("{stem}-{number}.{EXTENSION}");
    }
    free
}

/// Writes the file of a job, or prints it.
pub fn put(output: Output, name: &str, text: &str, path: Option<&Path>, force: bool) -> anyhow::Result<()> {
    let Some(path) = path.filter(|path| !is_standard(path)) else {
        if output.is_json() {
            return output.json(&json!({ "name": name, "configuration": text }));
        }
        return Ok(write_raw(text.as_bytes())?);
    };
    refuse_other(path, text, force)?;
    std::fs::write(path, text).map_err(|error| cannot_write(path, error))?;
    if output.is_json() {
        return output.json(&json!({ "name": name, "file": path }));
    }
    output.line(&format!("The job of {name} was written to {}", path.display()))
}

/// A file with what it would change.
struct Proposed {
    path: PathBuf,
    file: ConfigurationFile,
    proposal: Proposal,
}

/// The problems of a file, a line each, as compilers tell them.
pub fn told_of(path: &Path, bad: &BadConfiguration) -> Vec<String> {
    let shown = shown_path(path);
    let line = |problem: &provisioning::configuration::ConfigurationProblem| match problem.place {
        Some(place) => format!("{shown}:{}:{}: {}", place.line, place.column, problem.what),
        None => format!("{shown}: {}", problem.what),
    };
    bad.0.iter().map(line).collect()
}

/// The same as what the command ends with.
pub fn refused(path: &Path, bad: &BadConfiguration) -> anyhow::Error {
    usage(told_of(path, bad).join("\nerror: "))
}

/// Reads all files and finds out what each would change; every problem of all of them at once.
async fn propose(world: &World, paths: &[PathBuf]) -> anyhow::Result<Vec<Proposed>> {
    if paths.iter().filter(|path| *path == Path::new(STANDARD)).count() > 1 {
        return Err(usage("standard input (-) can be read once; name it once"));
    }
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let text = read_text(path, "", CONFIGURATION_BYTES_MAX, "is no configuration of a job")?;
        match ConfigurationFile::read(&text) {
            Ok(file) => files.push((path, file)),
            Err(bad) => problems.extend(told_of(path, &bad)),
        }
    }
    let mut proposed: Vec<Proposed> = Vec::new();
    for (path, file) in files {
        let name = store::folded(&file.wanted.name);
        if let Some(other) = proposed.iter().find(|other| store::folded(&other.file.wanted.name) == name) {
            let (path, other) = (shown_path(path), shown_path(&other.path));
            problems.push(format!("{path}: {other} is of the application {} too; name one of them", file.wanted.name));
            continue;
        }
        match world.engine()?.propose(&file).await {
            Ok(proposal) => proposed.push(Proposed { path: path.clone(), file, proposal }),
            Err(JobError::Configuration(bad)) => problems.extend(told_of(path, &bad)),
            Err(error) => return Err(error.into()),
        }
    }
    if problems.is_empty() { Ok(proposed) } else { Err(usage(problems.join("\nerror: "))) }
}

async fn diff(world: &World, output: Output, files: &[PathBuf], exit_code: bool) -> anyhow::Result<Outcome> {
    let proposed = propose(world, files).await?;
    let differs = proposed.iter().any(|one| !one.proposal.is_empty());
    if output.is_json() {
        output.json(&proposed.iter().map(shown).collect::<Vec<_>>())?;
    } else {
        proposed.iter().try_for_each(|one| show(output, &one.proposal))?;
    }
    Ok(if differs && exit_code { Outcome::ProblemsFound } else { Outcome::Done })
}

fn shown(one: &Proposed) -> Value {
    let mut value = one.proposal.to_json();
    value["warnings"] = json!(warnings(&one.proposal));
    value["file"] = json!(one.path);
    value
}

/// What is to be known before a file is applied: who is no longer assigned, and whose accounts are given up by it.
fn warnings(proposal: &Proposal) -> Vec<String> {
    let mut warnings = Vec::new();
    let losing = proposal.losing();
    if !losing.is_empty() {
        let groups = losing.iter().filter(|one| one.is_group).count() as u64;
        let kinds = [counted(losing.len() as u64 - groups, "user"), counted(groups, "group")];
        let kinds: Vec<String> = kinds.into_iter().filter(|kind| !kind.starts_with("0 ")).collect();
        let mut names: Vec<&str> = losing.iter().take(LOSING_TOLD_MAX).map(|one| one.name.as_str()).collect();
        if losing.len() > LOSING_TOLD_MAX {
            names.push("…");
        }
        let (kinds, names) = (kinds.join(" and "), names.join(", "));
        warnings.push(format!("{kinds} would no longer be assigned to {}: {names}", proposal.after.name));
    }
    warnings.extend(proposal.warnings());
    warnings
}

/// Prints the difference, with the warnings.
fn show(output: Output, proposal: &Proposal) -> anyhow::Result<()> {
    if proposal.is_empty() {
        return output.line(&format!("{} is as its file says", proposal.after.name));
    }
    output.difference(&proposal.text())?;
    warnings(proposal).iter().try_for_each(|warning| output.line(&format!("WARNING: {warning}")))
}

/// The same on standard error, for somebody who is asked while the answer is for a program.
fn show_aside(proposal: &Proposal) {
    aside(proposal.text().trim_end());
    for warning in warnings(proposal) {
        aside(&format!("WARNING: {warning}"));
    }
}

async fn apply(
    world: &World,
    output: Output,
    files: &[PathBuf],
    token_file: Option<&Path>,
    yes: bool,
) -> anyhow::Result<Outcome> {
    let stdin = Path::new(STANDARD);
    if token_file == Some(stdin) && files.iter().any(|file| file == stdin) {
        return Err(usage(
            "standard input (-) can be read once; name a file for the secret token or the configuration",
        ));
    }
    let proposed = propose(world, files).await?;
    if !output.is_json() {
        proposed.iter().try_for_each(|one| show(output, &one.proposal))?;
    }
    let (changing, same): (Vec<Proposed>, Vec<Proposed>) =
        proposed.into_iter().partition(|one| !one.proposal.is_empty());
    if !changing.is_empty() {
        if output.is_json() && !yes {
            for one in &changing {
                show_aside(&one.proposal);
            }
        }
        confirm(&format!("Apply this to {}?", counted(changing.len() as u64, "application")), yes)?;
    }
    let tokens = tokens(&changing, token_file)?;
    let told = same.iter().map(|one| json!({ "name": one.proposal.after.name, "changed": false })).collect();
    Applying { output, changing, tokens, told }.run(world).await
}

/// Files that are applied one after the other, up to the first that cannot be.
struct Applying {
    output: Output,
    changing: Vec<Proposed>,
    tokens: Vec<Option<String>>,
    told: Vec<Value>,
}

impl Applying {
    async fn run(mut self, world: &World) -> anyhow::Result<Outcome> {
        for done in 0..self.changing.len() {
            let one = &self.changing[done];
            let (name, is_new) = (&one.proposal.after.name, one.proposal.app.is_none());
            let reason = format!("the configuration {} was applied", shown_path(&one.path));
            let engine = world.engine()?;
            let applying = engine.apply(&one.proposal, self.tokens[done].as_deref(), &reason);
            match tested(self.output, applying).await {
                Ok(view) => {
                    if !self.output.is_json() {
                        let what = if is_new { "was added" } else { "was changed" };
                        self.output.line(&format!("Application {name} {what}"))?;
                    }
                    self.told.push(json!({ "name": name, "changed": true, "app": view.app, "isNew": is_new }));
                }
                Err(error) => return self.failed(done, error),
            }
        }
        if self.output.is_json() {
            self.output.json(&self.told)?;
        }
        Ok(Outcome::Done)
    }

    /// Tells why a file could not be applied, and what became of the others.
    fn failed(mut self, done: usize, error: JobError) -> anyhow::Result<Outcome> {
        let one = &self.changing[done];
        let why = match error {
            JobError::Configuration(bad) => told_of(&one.path, &bad).join("\nerror: "),
            error => format!("{}: {error}", shown_path(&one.path)),
        };
        if self.changing.len() == 1 {
            bail!("{why}");
        }
        self.told.push(json!({ "name": one.proposal.after.name, "changed": false, "error": why }));
        let rest = &self.changing[done + 1..];
        self.told.extend(
            rest.iter().map(|one| json!({ "name": one.proposal.after.name, "changed": false, "tried": false })),
        );
        if self.output.is_json() {
            self.output.json(&self.told)?;
        }
        note(&format!("{} applied before this one, {} not tried after it", counted(done as u64, "file"), rest.len()));
        if done == 0 {
            bail!("{why}");
        }
        aside(&format!("error: {why}"));
        Ok(Outcome::SomeFailed)
    }
}

/// The secret tokens that are needed, in the order of the files.
fn tokens(changing: &[Proposed], token_file: Option<&Path>) -> anyhow::Result<Vec<Option<String>>> {
    let needing = changing.iter().filter(|one| one.proposal.needs_token()).count();
    if token_file.is_some() && needing != 1 {
        let number = counted(needing as u64, "application");
        return Err(usage(format!(
            "--secret-token-file is for one application that is new or has another server now, and {number} would be so; name the files in the configurations as secretTokenFile, or say lockstep app set for one that stays"
        )));
    }
    changing.iter().map(|one| token_of(one, token_file)).collect()
}

/// The secret token that an application needs: from the option, the file or variable that its file names, or typed.
fn token_of(one: &Proposed, token_file: Option<&Path>) -> anyhow::Result<Option<String>> {
    if !one.proposal.needs_token() {
        return Ok(None);
    }
    if let (None, Some(name)) = (token_file, &one.file.secret_token_variable) {
        let problem = || {
            usage(format!(
                "{}: the environment variable {name}, which is to hold the secret token, is not set",
                shown_path(&one.path)
            ))
        };
        return crate::world::variable(name).map(Some).ok_or_else(problem);
    }
    let beside = one.path.parent().unwrap_or_else(|| Path::new(""));
    let named = one.file.secret_token_file.as_ref().map(|file| beside.join(file));
    secret_token(token_file.map(Path::to_owned).or(named).as_deref()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_for_its_application() {
        for (name, expected) in [
            ("CRM", "crm.toml"),
            ("Palo Alto  (CIE)", "palo-alto-cie.toml"),
            ("../../etc/passwd", "etc-passwd.toml"),
            ("Łódź", "łódź.toml"),
            ("…", "job.toml"),
        ] {
            assert_eq!(file_name(name), expected);
        }
        assert_eq!(file_name(&"x".repeat(500)).len(), FILE_NAME_MAX + 5);
    }

    #[test]
    fn no_two_applications_have_one_file() {
        let mut taken = BTreeSet::new();
        let names = ["CRM", "CRM!", "CRM (2)", "crm-2-2", "crm?"].map(|name| free_name(name, &mut taken));
        assert_eq!(names, ["crm.toml", "crm-2.toml", "crm-2-2.toml", "crm-2-2-2.toml", "crm-3.toml"]);
    }
}
