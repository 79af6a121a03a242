//! `config export`, `diff`, `apply`: jobs as files for version control. What a file says is read, compared and applied by the provisioning
//! service; here are files, questions and answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use directory::Application;
use mapping::counted;
use provisioning::JobError;
use provisioning::configuration::{
    BadConfiguration, CONFIGURATION_BYTES_MAX, ConfigurationFile, JobConfiguration, Proposal,
};
use serde_json::{Value, json};

use super::app::tested;
use super::find;
use crate::ask::{confirm, secret_token};
use crate::cli::ConfigCommand;
use crate::files::{cannot_write, read_text};
use crate::outcome::{Outcome, usage};
use crate::output::{Output, note, write_raw};
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
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for app in apps {
        let text = match world.engine()?.configuration(app.id, assignments).await {
            Ok(configuration) => configuration.to_toml(),
            // An application without a job has nothing to be written down.
            Err(JobError::NotFound) => continue,
            Err(error) => return Err(error.into()),
        };
        let name = file_name(&app.name);
        let times = names.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times == 1 { name } else { name.replace(".toml", &format!("-{times}.toml")) };
        let path = folder.join(name);
        refuse_foreign(&path, force)?;
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

/// Refuses to write over a file that is not one of a job.
fn refuse_foreign(path: &Path, force: bool) -> anyhow::Result<()> {
    if force || !path.exists() {
        return Ok(());
    }
    let is_ours = std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(first_line().as_bytes()));
    if is_ours {
        Ok(())
    } else {
        bail!(
            "{} is there already and holds something else; name another file, or say --force to replace it",
            path.display()
        )
    }
}

fn first_line() -> &'static str {
    JobConfiguration::HEAD.lines().next().unwrap_or_default()
}

/// Writes the file of a job, or prints it.
pub fn put(output: Output, name: &str, text: &str, path: Option<&Path>, force: bool) -> anyhow::Result<()> {
    let Some(path) = path else {
        if output.is_json() {
            return output.json(&json!({ "name": name, "configuration": text }));
        }
        return Ok(write_raw(text.as_bytes())?);
    };
    refuse_foreign(path, force)?;
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
fn told_of(path: &Path, bad: &BadConfiguration) -> Vec<String> {
    let shown = path.display();
    let line = |problem: &provisioning::configuration::ConfigurationProblem| match problem.place {
        Some(place) => format!("{shown}:{}:{}: {}", place.line, place.column, problem.what),
        None => format!("{shown}: {}", problem.what),
    };
    bad.0.iter().map(line).collect()
}

/// Reads all files and finds out what each would change; every problem of all of them at once.
async fn propose(world: &World, paths: &[PathBuf]) -> anyhow::Result<Vec<Proposed>> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let text = read_text(path, "", CONFIGURATION_BYTES_MAX, "is no configuration of a job")?;
        match ConfigurationFile::parse(&text) {
            Ok(file) => files.push((path, file)),
            Err(bad) => problems.extend(told_of(path, &bad)),
        }
    }
    if !problems.is_empty() {
        return Err(usage(problems.join("\nerror: ")));
    }
    let mut proposed: Vec<Proposed> = Vec::new();
    for (path, file) in files {
        let name = store::folded(&file.wanted.name);
        if let Some(other) = proposed.iter().find(|other| store::folded(&other.file.wanted.name) == name) {
            let (path, other) = (path.display(), other.path.display());
            problems.push(format!("{path}: {other} is of the application {} too; name one of them", file.wanted.name));
            continue;
        }
        match world.engine()?.propose(&file).await {
            Ok(proposal) => proposed.push(Proposed { path: path.clone(), file, proposal }),
            Err(JobError::Configuration(bad)) => problems.extend(told_of(path, &bad)),
            Err(error) => return Err(error.into()),
        }
    }
    if problems.is_empty() { Ok(proposed) } else { Err(anyhow!("{}", problems.join("\nerror: "))) }
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
    value["file"] = json!(one.path);
    value
}

/// Prints the difference, and loud who loses an account by it.
fn show(output: Output, proposal: &Proposal) -> anyhow::Result<()> {
    if proposal.is_empty() {
        return output.line(&format!("{} is as its file says", proposal.after.name));
    }
    output.difference(&proposal.text())?;
    let losing = proposal.losing();
    if !losing.is_empty() {
        let groups = losing.iter().filter(|one| one.is_group).count();
        let mut names: Vec<&str> = losing.iter().take(LOSING_TOLD_MAX).map(|one| one.name.as_str()).collect();
        if losing.len() > LOSING_TOLD_MAX {
            names.push("…");
        }
        output.line(&format!(
            "WARNING: {} and {} would no longer be assigned to {}, and lose their accounts unless another group keeps them: {}",
            counted((losing.len() - groups) as u64, "user"),
            counted(groups as u64, "group"),
            proposal.after.name,
            names.join(", ")
        ))?;
    }
    Ok(())
}

async fn apply(
    world: &World,
    output: Output,
    files: &[PathBuf],
    token_file: Option<&Path>,
    yes: bool,
) -> anyhow::Result<Outcome> {
    let proposed = propose(world, files).await?;
    if !output.is_json() {
        proposed.iter().try_for_each(|one| show(output, &one.proposal))?;
    }
    let (changing, same): (Vec<Proposed>, Vec<Proposed>) =
        proposed.into_iter().partition(|one| !one.proposal.is_empty());
    if !changing.is_empty() {
        confirm(&format!("Apply this to {}?", counted(changing.len() as u64, "application")), yes)?;
    }
    let new = changing.iter().filter(|one| one.proposal.app.is_none()).count();
    if token_file.is_some() && new != 1 {
        let number = counted(new as u64, "application");
        return Err(usage(format!(
            "--secret-token-file is for one new application, and {number} would be added; name the files in the configurations as secretTokenFile"
        )));
    }
    let tokens = changing.iter().map(|one| token_of(one, token_file)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut told: Vec<Value> =
        same.iter().map(|one| json!({ "name": one.proposal.after.name, "changed": false })).collect();
    for (done, (one, token)) in changing.iter().zip(&tokens).enumerate() {
        let name = &one.proposal.after.name;
        let reason = format!("the configuration {} was applied", one.path.display());
        let engine = world.engine()?;
        let applying = engine.apply(&one.proposal, token.as_deref(), &reason);
        let view = tested(output, applying).await.map_err(|error| failed(error, one, done, changing.len()))?;
        told.push(json!({ "name": name, "changed": true, "app": view.app, "isNew": one.proposal.app.is_none() }));
        if !output.is_json() {
            let what = if one.proposal.app.is_none() { "was added" } else { "was changed" };
            output.line(&format!("Application {name} {what}"))?;
        }
    }
    if output.is_json() {
        output.json(&told)?;
    }
    Ok(Outcome::Done)
}

/// Why a file could not be applied, and what became of the others.
fn failed(error: JobError, one: &Proposed, done: usize, all: usize) -> anyhow::Error {
    if all > 1 {
        let left = all - done - 1;
        note(&format!("{} applied before this one, {left} not tried after it", counted(done as u64, "file")));
    }
    let shown = one.path.display();
    match error {
        JobError::Configuration(bad) => anyhow!("{}", told_of(&one.path, &bad).join("\nerror: ")),
        error => anyhow!("{shown}: {error}"),
    }
}

/// The secret token of a new application: from the option, the file or variable that its file names, or typed.
fn token_of(one: &Proposed, token_file: Option<&Path>) -> anyhow::Result<Option<String>> {
    if one.proposal.app.is_some() {
        return Ok(None);
    }
    if let (None, Some(name)) = (token_file, &one.file.secret_token_variable) {
        let problem = || {
            usage(format!(
                "{}: the environment variable {name}, which is to hold the secret token, is not set",
                one.path.display()
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
}
