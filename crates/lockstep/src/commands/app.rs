//! `app` and `test-connection`: applications with their provisioning jobs.

use std::io::IsTerminal as _;
use std::path::Path;

use directory::{DEFAULT_ACCESS, DirectoryError, Page};
use mapping::counted;
use mapping::schema::Difference;
use provisioning::configuration::{CONFIGURATION_BYTES_MAX, GivenMappings};
use provisioning::{
    Added, Dialect, Discovery, Engine, JobChange, JobError, JobStatus, JobView, NewJob, ScopeSetting, Template,
};
use serde_json::{Value, json};
use store::{AppId, ReadTx};

use super::configuration::refused;
use super::find;
use super::mapping_versions::{scope_warnings, show_before_asking, warn_before_asking};
use super::pages::{self, Listed, tell_more};
use crate::ask::{confirm, secret_token};
use crate::cli::{AppCommand, DialectName, JobSettingsArgs, ScopeName, Switch};
use crate::files::read_text;
use crate::outcome::{Outcome, usage};
use crate::output::{Output, moment, moment_or, note};
use crate::progress::Bar;
use crate::shown::{kind_name, text};
use crate::world::World;

/// Assignments read at a time.
const STEP: u32 = 500;

/// Carries out `app`.
pub async fn run(command: AppCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        AppCommand::Gallery { words } => gallery(output, &words.join(" "))?,
        AppCommand::List => list(world, output).await?,
        AppCommand::Show { app } => show(world, output, &app).await?,
        AppCommand::Discover { app } => discover(world, output, &app).await?,
        AppCommand::Remove { app, yes } => remove(world, output, &app, yes).await?,
        AppCommand::Assignments { app, limit } => assignments(world, output, &app, limit).await?,
        AppCommand::Add { .. } => {
            let new = new_job(command, world)?;
            let added = tested(output, world.engine()?.add_job(new)).await;
            let job = added.map_err(wrong_setting)?;
            told(output, &job, "was added; its connection works")?;
            note_default_access(world, job.app, &job.name, false).await?;
        }
        AppCommand::Set { ref app, yes, ref mappings, .. } => {
            let file = mappings.clone();
            let id = find::application(world, app).await?.id;
            let (engine, mut change) = (world.engine()?, job_change(command)?);
            if let Some(file) = &file {
                change.objects = Some(read_mappings(&engine, id, file).await?);
            }
            if change == JobChange::default() {
                return Err(usage("nothing to change is named; lockstep help app set lists what can be"));
            }
            // Nobody is asked for anything that would be refused.
            let outlook = engine.look_ahead(id, &change).await?;
            let warnings = outlook.refuse().map_err(|problems| wrong_setting(problems.into()))?;
            if engine.lacks_token(id, &change).await? {
                change.secret_token = Some(token_of_another_server()?);
            }
            let (change, said) = seen(&engine, id, output, change, (warnings, yes)).await?;
            if change == JobChange::default() {
                return told(output, &engine.job(id).await?, "has these mappings already; nothing was changed")
                    .map(|()| Outcome::Done);
            }
            let tests = change.needs_connection_test();
            let changing = engine.change_job(id, change);
            let changed = if tests { tested(output, changing).await } else { changing.await };
            let mut job = changed.map_err(wrong_setting)?;
            // What was said before is not said twice, but a program reads the answer alone.
            job.warnings.retain(|warning| !said.contains(warning));
            if output.is_json() {
                job.warnings.splice(..0, said);
            }
            told(output, &job, "was changed")?;
        }
    }
    Ok(Outcome::Done)
}

/// Shows what other mappings would change, and whose accounts the change gives up, and asks where there is somebody to ask; leaves out
/// mappings that would change nothing, and gives the warnings that were shown.
async fn seen(
    engine: &Engine,
    app: AppId,
    output: Output,
    mut change: JobChange,
    (warnings, yes): (Vec<String>, bool),
) -> anyhow::Result<(JobChange, Vec<String>)> {
    // Scripts that nobody looks at went on before there was a question, and still do.
    let yes = yes || !std::io::stdin().is_terminal();
    let mut said = scope_warnings(engine, app, &change).await?;
    if let Some(objects) = &change.objects {
        let latest = engine.mapping_version(app, None).await?;
        let difference = Difference::between(&latest.objects, objects);
        if !difference.is_empty() {
            said.extend(warnings);
            show_before_asking(output, &difference, &said, yes)?;
            confirm("Take these mappings? The next cycle looks at everything again.", yes)?;
            change.if_mapping_version = Some(latest.head.version);
            return Ok((change, said));
        }
        change.objects = None;
    }
    if !said.is_empty() {
        warn_before_asking(output, &said, yes)?;
        confirm("Change the job all the same? The next cycle looks at everything again.", yes)?;
    }
    Ok((change, said))
}

/// The secret token of the server that the job would be at: its own was given for the one it is at, and is not sent to another.
fn token_of_another_server() -> anyhow::Result<String> {
    let why = JobError::TokenNeeded;
    if !std::io::stdin().is_terminal() {
        return Err(usage(format!("{why}; name its file with --secret-token-file FILE, or - for standard input")));
    }
    note(&why.to_string());
    secret_token(None)
}

/// Tells options that are wrong whatever there is, by their names, from what failed.
fn wrong_setting(error: JobError) -> anyhow::Error {
    match error {
        JobError::Settings(problems) => usage(problems.0.join("\nerror: ")),
        JobError::Directory(DirectoryError::Invalid { attribute, reason }) if attribute == "displayName" => {
            usage(format!("--name {reason}"))
        }
        JobError::Directory(DirectoryError::Invalid { attribute, reason }) if attribute == "appRole" => {
            usage(format!("--role {reason}"))
        }
        other => other.into(),
    }
}

/// Waits for something that tests a connection first, and says so.
pub async fn tested<T>(output: Output, testing: impl Future<Output = T>) -> T {
    let bar = Bar::waiting(output, "Testing the connection…");
    let done = testing.await;
    bar.done();
    done
}

/// Carries out `test-connection`.
pub async fn test_connection(app: &str, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let application = find::application(world, app).await?;
    let found = tested(output, world.engine()?.test_connection(application.id)).await?;
    if output.is_json() {
        output.json(&json!({
            "app": application.id, "name": application.name, "connection": "ok",
            "discovered": found.discovered, "added": found.added,
        }))?;
    } else {
        output.line(&format!("The connection to {} works{}", application.name, discovery(&found)))?;
    }
    Ok(Outcome::Done)
}

fn discovery(found: &Discovery) -> String {
    let known = match found.discovered.count() {
        0 => return String::new(),
        count => format!("; its schemas name {}", counted(count as u64, "attribute")),
    };
    match found.added.len() {
        0 => known,
        new => format!("{known}, {new} of them new"),
    }
}

async fn discover(world: &World, output: Output, name: &str) -> anyhow::Result<()> {
    let application = find::application(world, name).await?;
    let bar = Bar::waiting(output, "Reading the schemas of the application…");
    let found = world.engine()?.discover(application.id).await;
    bar.done();
    let found = found?;
    if output.is_json() {
        return output.json(
            &json!({ "app": application.id, "name": application.name, "discovered": found.discovered, "added": found.added, "warnings": found.warnings }),
        );
    }
    let count = counted(found.discovered.count() as u64, "attribute");
    let new = counted(found.added.len() as u64, "new attribute");
    output.line(&format!("{} tells of {count}; {new} in its attribute list", application.name))?;
    for warning in &found.warnings {
        note(warning);
    }
    if found.added.is_empty() {
        return Ok(());
    }
    let row = |added: &Added| {
        let attribute = &added.attribute;
        let facts = [
            (attribute.multivalued, "multi-valued"),
            (attribute.case_exact, "case-exact"),
            (attribute.required, "required"),
        ];
        let mut facts: Vec<String> =
            facts.iter().filter(|(is_so, _)| *is_so).map(|(_, fact)| (*fact).to_owned()).collect();
        facts.extend(Some(word(&attribute.mutability)).filter(|word| word != "ReadWrite"));
        vec![word(&added.object), attribute.name.clone(), word(&attribute.kind), facts.join(", ")]
    };
    output.table(&["OBJECT", "ATTRIBUTE", "TYPE", "FACTS"], found.added.iter().map(row).collect(), "")
}

fn gallery(output: Output, words: &str) -> anyhow::Result<()> {
    let found = Template::search(words);
    if output.is_json() {
        let described = |template: &&Template| {
            json!({
                "template": template.name, "title": template.title, "description": template.description,
                "groups": template.has_groups(), "excludeDefaultAccess": template.exclude_default_access, "discovery": template.discovery,
            })
        };
        return output.json(&found.iter().map(described).collect::<Vec<_>>());
    }
    let row = |template: &&Template| {
        let objects = if template.has_groups() { "users, groups" } else { "users" };
        vec![template.name.clone(), template.title.clone(), objects.to_owned(), template.description.clone()]
    };
    let none = "No template has these words; the template scim takes any SCIM application";
    output.table(&["TEMPLATE", "APPLICATION", "PROVISIONS", "DESCRIPTION"], found.iter().map(row).collect(), none)
}

fn new_job(command: AppCommand, world: &World) -> anyhow::Result<NewJob> {
    let AppCommand::Add { template, name, tenant_url, secret_token_file, roles, settings, status } = command else {
        anyhow::bail!("only app add makes a job");
    };
    let Some(known) = Template::by_name(&template) else {
        let names: Vec<&str> = Template::all().iter().map(|template| template.name.as_str()).collect();
        return Err(usage(format!("no gallery template is named {template:?}; there are {}", names.join(", "))));
    };
    Ok(NewJob {
        name: name.unwrap_or_else(|| known.title.clone()),
        template,
        tenant_url,
        secret_token: secret_token(secret_token_file.as_deref())?,
        roles,
        scope: settings.scope.map(scope),
        interval_seconds: settings.interval.or(world.config().interval_seconds),
        dialect: settings.dialect.map(dialect),
        exclude_default_access: settings.exclude_default_access,
        enabled: status == Switch::On,
    })
}

fn job_change(command: AppCommand) -> anyhow::Result<JobChange> {
    let AppCommand::Set {
        app: _,
        name,
        tenant_url,
        secret_token_file,
        settings: JobSettingsArgs { scope: new_scope, interval, dialect: new_dialect, exclude_default_access },
        status,
        concurrency,
        settle,
        request_timeout,
        mappings: _,
        roles,
        remove_roles,
        restart,
        yes: _,
    } = command
    else {
        anyhow::bail!("only app set changes a job");
    };
    Ok(JobChange {
        name,
        tenant_url,
        secret_token: secret_token_file.map(|file| secret_token(Some(&file))).transpose()?,
        scope: new_scope.map(scope),
        interval_seconds: interval,
        dialect: new_dialect.map(dialect),
        exclude_default_access,
        concurrency,
        request_timeout_seconds: request_timeout,
        settle_seconds: settle,
        status: status.map(|status| if status == Switch::On { JobStatus::On } else { JobStatus::Off }),
        restart,
        add_roles: roles,
        remove_roles,
        ..JobChange::default()
    })
}

const fn scope(name: ScopeName) -> ScopeSetting {
    match name {
        ScopeName::Assigned => ScopeSetting::Assigned,
        ScopeName::All => ScopeSetting::All,
    }
}

const fn dialect(name: DialectName) -> Dialect {
    match name {
        DialectName::Entra => Dialect::Entra,
        DialectName::EntraCompliant => Dialect::EntraCompliant,
        DialectName::Rfc => Dialect::Rfc,
    }
}

/// Takes the list of mappings, the whole document that `app show --json` prints, or the file of a job.
async fn read_mappings(engine: &Engine, app: AppId, file: &Path) -> anyhow::Result<Vec<mapping::ObjectMapping>> {
    let text = read_text(file, "the mappings in", CONFIGURATION_BYTES_MAX, "holds no mappings")?;
    let given = GivenMappings::read(&text).map_err(|bad| refused(file, &bad))?;
    match engine.check_given(app, given).await {
        Err(JobError::Configuration(bad)) => Err(refused(file, &bad)),
        checked => Ok(checked?),
    }
}

/// Says what to do where people who have only *Default Access* are left out: before anybody is assigned where there is no
/// other role, and once somebody was assigned so.
pub async fn note_default_access(world: &World, app: AppId, name: &str, assigned: bool) -> anyhow::Result<()> {
    let left_out = world.store().read(move |tx| {
        let left_out = provisioning::leaves_out_default_access(tx, app)?;
        Ok::<_, JobError>(if left_out { Some(directory::app_roles(tx, app)?.len()) } else { None })
    });
    let Some(roles) = left_out.await? else { return Ok(()) };
    if roles == 1 {
        note(&format!(
            "{name} has only the role {DEFAULT_ACCESS}, and its job leaves out whoever has nothing else; add a role with \
             lockstep app set {name:?} --role ROLE and assign with it, or say --exclude-default-access false there"
        ));
    } else if assigned {
        note(&format!(
            "the job of {name} leaves out whoever has only the role {DEFAULT_ACCESS}; assign with --role ROLE too, \
             lockstep app show {name:?} lists the roles"
        ));
    }
    Ok(())
}

fn told(output: Output, job: &JobView, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(job);
    }
    output.line(&format!("Application {} {what}", job.name))?;
    job.problems.iter().try_for_each(|problem| output.line(&format!("problem: {problem}")))?;
    job.warnings.iter().try_for_each(|warning| output.line(&format!("warning: {warning}")))
}

async fn list(world: &World, output: Output) -> anyhow::Result<()> {
    let jobs = world.engine()?.jobs().await?;
    if output.is_json() {
        return output.json(&jobs);
    }
    let row = |job: &JobView| {
        vec![
            job.name.clone(),
            job.template.to_owned(),
            job.status.as_str().to_owned(),
            word(&job.scope),
            job.tenant_url.clone(),
            job.app.to_string(),
        ]
    };
    let none = "No applications; add one with lockstep app add";
    output.table(
        &["APPLICATION", "TEMPLATE", "STATUS", "SCOPE", "TENANT URL", "ID"],
        jobs.iter().map(row).collect(),
        none,
    )
}

/// The word under which a setting is written in JSON.
fn word(setting: &impl serde::Serialize) -> String {
    serde_json::to_value(setting).map(|value| text(&value)).unwrap_or_default()
}

async fn show(world: &World, output: Output, name: &str) -> anyhow::Result<()> {
    let application = find::application(world, name).await?;
    let engine = world.engine()?;
    let job = engine.job(application.id).await?;
    let (roles, assigned) = roles_and_assigned(world, application.id).await?;
    if output.is_json() {
        let mut shown = serde_json::to_value(&job)?;
        shown["roles"] = json!(roles);
        shown["assigned"] = json!(assigned);
        shown["assignedUsers"] = json!(assigned.0);
        shown["assignedGroups"] = json!(assigned.1);
        shown["mappings"] = serde_json::to_value(engine.mappings(application.id).await?)?;
        return output.json(&shown);
    }
    let mut facts = vec![
        ("application", job.name.clone()),
        ("id", job.app.to_string()),
        ("template", format!("{} ({})", job.template, job.title)),
        ("status", job.status.as_str().to_owned()),
        ("tenant URL", job.tenant_url.clone()),
        ("scope", word(&job.scope)),
        ("dialect", word(&job.dialect)),
        ("interval", counted(job.interval_seconds, "second")),
        ("settle window", counted(job.settle_seconds, "second")),
        ("request timeout", counted(job.request_timeout_seconds, "second")),
        ("concurrency", counted(job.concurrency as u64, "object")),
        ("Default Access left out", if job.exclude_default_access { "yes" } else { "no" }.to_owned()),
        ("attributes discovered", job.discovered.to_string()),
        ("roles", roles.join(", ")),
        ("assigned", format!("{} and {}", counted(assigned.0, "user"), counted(assigned.1, "group"))),
        ("users at the application", job.users.linked.to_string()),
        ("groups at the application", job.groups.linked.to_string()),
        ("failures that wait", job.escrows.to_string()),
        ("last cycle", last_cycle(&job)),
        ("next run", moment_or(job.next_run, "by command")),
    ];
    let kept = job.users.not_switched_off + job.groups.not_switched_off;
    facts.extend((kept > 0).then(|| ("out of scope, nothing switches off", kept.to_string())));
    facts.extend(job.quarantine.clone().map(|reason| ("quarantine", reason)));
    facts.extend(job.problems.iter().map(|problem| ("problem", problem.clone())));
    facts.extend(job.warnings.iter().map(|warning| ("warning", warning.clone())));
    output.facts(&facts)
}

fn last_cycle(job: &JobView) -> String {
    job.last_cycle.as_ref().map_or_else(
        || "none yet".to_owned(),
        |cycle| format!("{}, {}, begun {}", cycle.cycle, cycle.state, moment(cycle.started)),
    )
}

/// The role values of an application, and how many users and groups are assigned to it.
async fn roles_and_assigned(world: &World, app: AppId) -> Result<(Vec<String>, (u64, u64)), DirectoryError> {
    world
        .store()
        .scan(move |tx| {
            let roles = directory::app_roles(tx, app)?.into_iter().map(|role| role.value).collect();
            let (mut users, mut groups, mut after) = (0, 0, None);
            loop {
                let page = directory::assignments(tx, app, after, STEP)?;
                for assignment in &page.items {
                    *(if assignment.kind == store::ObjectKind::User { &mut users } else { &mut groups }) += 1;
                }
                after = page.next;
                if after.is_none() {
                    return Ok((roles, (users, groups)));
                }
            }
        })
        .await
}

async fn remove(world: &World, output: Output, name: &str, yes: bool) -> anyhow::Result<()> {
    let application = find::application(world, name).await?;
    confirm(&format!("Remove the application {}? Its accounts at the application stay.", application.name), yes)?;
    world.engine()?.remove_job(application.id).await?;
    if output.is_json() {
        return output.json(&json!({ "app": application.id, "name": application.name, "removed": true }));
    }
    output.line(&format!("Application {} was removed; its accounts at the application stay", application.name))
}

async fn assignments(world: &World, output: Output, name: &str, limit: u32) -> anyhow::Result<()> {
    let app = find::application(world, name).await?.id;
    let page = move |tx: &mut ReadTx<'_>, after, step| described(tx, app, after, step);
    let Listed { items: shown, more } = pages::read(world, limit, page).await?;
    if output.is_json() {
        output.json(&shown)?;
        tell_more(more);
        return Ok(());
    }
    let row = |one: &Value| ["name", "type", "role", "id"].map(|key| text(&one[key])).to_vec();
    output.table(&["ASSIGNED", "TYPE", "ROLE", "ID"], shown.iter().map(row).collect(), "Nobody is assigned")?;
    tell_more(more);
    Ok(())
}

fn described(
    tx: &mut ReadTx<'_>,
    app: AppId,
    after: Option<store::ObjectId>,
    step: u32,
) -> Result<Page<Value, store::ObjectId>, DirectoryError> {
    let page = directory::assignments(tx, app, after, step)?;
    let mut shown = Vec::with_capacity(page.items.len());
    for one in page.items {
        let name = if one.kind == store::ObjectKind::User {
            directory::user(tx, one.principal.user())?.map(|user| user.user_principal_name)
        } else {
            directory::group(tx, one.principal.group())?.map(|group| group.display_name)
        };
        shown.push(json!({ "id": one.principal, "type": kind_name(one.kind), "name": name, "role": one.role.value }));
    }
    Ok(Page { items: shown, next: page.next })
}
