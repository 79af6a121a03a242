//! Trying out expressions and mappings on objects of the directory: read here, with the roles they have, and compared with what the target
//! holds where that is asked for. Nothing is written.

use mapping::{Candidates, ObjectType, Source, Value, World};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use store::jobs::JobRecord;
use store::links::{self, LinkState};
use store::{AppId, ObjectId, ObjectKind, ReadTx, StoreError};

use super::evaluate::scope_of;
use super::subject::{Subject, object_type};
use super::try_departure::Departure;
use crate::engine::Engine;
use crate::job::JobError;
use crate::object_plan::{MatchValue, ObjectPlan, Secrets};
use crate::redaction::Redacted;
use crate::scope::Scope;
use crate::settings::{JobSettings, Located, sentences};
use crate::surroundings::{JobNeeds, missing_groups};
use crate::target::{CallError, Target, resource_id};
use crate::trial::{AttributeTrial, Draft, Effect, References, Referred, try_attributes};

/// Members that are named where a mapping refers to the members of a group.
const MEMBERS_NAMED: u32 = 10;
/// An application that is none: who is read for it has no role.
const NO_APPLICATION: AppId = AppId::new(uuid::Uuid::nil());

/// An object of the directory as mappings see it.
pub struct SourceObject(Subject);

impl Source for SourceObject {
    fn attribute(&self, name: &str) -> Value {
        self.0.with_source(false, |source| source.attribute(name)).unwrap_or_default()
    }
}

impl SourceObject {
    /// The name that people know it by.
    pub fn name(&self) -> String {
        self.0.label()
    }
}

/// What the target says of values that are to be unique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// Those which other accounts have.
    pub taken: Vec<String>,
    /// The first that none has.
    pub free: Option<String>,
}

/// Mappings to be tried on an object.
#[derive(Clone, Debug)]
pub struct MappingTrialOf {
    /// The application.
    pub app: AppId,
    /// Whether the object is a user or a group.
    pub kind: ObjectKind,
    /// The object.
    pub id: ObjectId,
    /// What is tried in place of the job's mapping.
    pub draft: Option<Draft>,
    /// Whether the target is asked for the account, and the mappings are tried for an update of it.
    pub update: bool,
}

/// What the mappings of a job make of one object.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappingTrial {
    /// Its name.
    pub object: String,
    /// `User` or `Group`.
    pub object_type: ObjectType,
    /// Whether it is in scope.
    pub in_scope: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_because: Option<String>,
    /// What becomes of the account that an object which is out of scope has, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departure: Option<Departure>,
    /// Whether an account would be made (`create`), or was compared with (`update`).
    pub operation: &'static str,
    /// The id of its account at the target, where that is known.
    pub account: Option<String>,
    /// Whether the whole object is left out because a mapping says so.
    pub ignored: bool,
    /// Every attribute mapping, in the order of the job.
    pub attributes: Vec<AttributeTrial>,
    /// What would keep the mappings from being saved.
    pub problems: Vec<String>,
}

impl Engine {
    /// Reads an object with the roles that it has in an application, where one is named.
    pub async fn source_object(
        &self,
        app: Option<AppId>,
        kind: ObjectKind,
        id: ObjectId,
    ) -> Result<SourceObject, JobError> {
        let app = app.unwrap_or(NO_APPLICATION);
        let needs = JobNeeds::everything();
        self.store().read(move |tx| Subject::load(tx, app, &needs, kind, id)).await.map(SourceObject)
    }

    /// Asks a job's target for the first of some values that no account has at a target attribute.
    pub async fn first_free(
        &self,
        app: AppId,
        object: ObjectType,
        target: &str,
        candidates: &Candidates,
    ) -> Result<Availability, JobError> {
        let (record, _, settings) = self.load(app).await?;
        let attribute = mapping::AttributeMapping::new(target, mapping::MappingSource::None);
        let plan = plan_with(&settings, object, attribute)?;
        available(&self.target_of(&record, &settings)?, &plan, candidates).await.map_err(told)
    }

    /// Tries the mappings of a job, or a draft of them, on one object.
    pub async fn try_mappings(&self, wanted: &MappingTrialOf) -> Result<MappingTrial, JobError> {
        let (app, kind, id) = (wanted.app, wanted.kind, wanted.id);
        let (record, template, mut settings) = self.load(app).await?;
        let object = object_type(kind);
        let mut draft = match &wanted.draft {
            Some(draft) => draft.clone(),
            None => settings.object(object).cloned().map(Draft::from).ok_or_else(|| not_mapped(object))?,
        };
        draft.told.clone_from(settings.discovered.of(object));
        let before = settings.objects.clone();
        settings.objects.retain(|mapping| mapping.target_object != draft.mapping.target_object);
        settings.objects.push(draft.mapping.clone());
        let after = settings.objects.clone();
        let needs = JobNeeds::of_one(&draft.mapping);
        let read = move |tx: &mut ReadTx<'_>| {
            let subject = Subject::load(tx, app, &needs, kind, id)?;
            let references = references(tx, app, &subject)?;
            Ok::<_, JobError>((subject, references, missing_groups(tx, &before, &after)?))
        };
        let (subject, references, missing) = self.store().read(read).await?;
        let problems = problems_of(&draft, settings.problems(template, self.installation()), missing);
        let held =
            if wanted.update { Some(self.account_of(&record, &settings, &subject, &draft).await?) } else { None };
        let scope = scope_of(settings.scope_rules(), &draft.mapping, &subject, self.now());
        let departure = match (&scope, &held) {
            (Ok(Scope::Out(why)), Some(held)) => {
                let plan = settings.plan(&draft.mapping).map_err(|error| JobError::Invalid(error.to_string()))?;
                Some(self.departure(&plan, template.has_soft_delete(object), (&subject, why), held))
            }
            _ => None,
        };
        let tried = self.with_world_of(&subject, departure.is_some(), |source, world| {
            try_attributes(&draft, source, world, &references, held.as_ref())
        });
        let mut attributes = tried.ok_or_else(|| JobError::Invalid(gone(&subject)))?;
        if let Some(departure) = &departure {
            departure.leave_out(&draft.mapping, &mut attributes);
        }
        let hidden = self.hidden_of(&subject, &draft);
        self.look_up_free(&record, &settings, &draft, (&hidden, &mut attributes)).await;
        let out_because = scope.map_or_else(|undecided| Some(undecided.to_string()), |scope| scope.out_because());
        let linked = subject.link.as_ref().and_then(|link| link.target_id.clone());
        Ok(MappingTrial {
            object: subject.label(),
            object_type: object,
            in_scope: out_because.is_none(),
            out_because,
            departure,
            operation: if held.is_some() { "update" } else { "create" },
            account: held.as_ref().and_then(resource_id).map(str::to_owned).or(linked),
            ignored: attributes.iter().any(|one| one.effect == Effect::SkipsObject),
            attributes,
            problems: if wanted.draft.is_some() { problems } else { Vec::new() },
        })
    }

    pub(super) fn with_world_of<T>(
        &self,
        subject: &Subject,
        is_soft_deleted: bool,
        with: impl FnOnce(&dyn Source, &World<'_>) -> T,
    ) -> Option<T> {
        let random = |bytes: &mut [u8]| (self.0.random)(bytes);
        let world = World { now: self.now(), default_domain: self.default_domain(), random: &random };
        subject.with_source(is_soft_deleted, |source| with(source, &world))
    }

    /// What the mappings keep secret of an object: a target may repeat it in its answer.
    fn hidden_of(&self, subject: &Subject, draft: &Draft) -> Redacted {
        let secrets = Secrets::of(&draft.mapping, &draft.told);
        self.with_world_of(subject, false, |source, world| secrets.texts(source, world)).unwrap_or_default()
    }

    /// The account that an update would change: the linked one, else the one that matches.
    async fn account_of(
        &self,
        record: &JobRecord,
        settings: &JobSettings,
        subject: &Subject,
        draft: &Draft,
    ) -> Result<Map<String, Json>, JobError> {
        let target = self.target_of(record, settings)?;
        // The target may repeat what it was sent, and tell what it holds.
        let hidden = self.hidden_of(subject, draft);
        let told = |error| told(hidden.hide_in_error(error));
        let linked = subject.link.as_ref().and_then(|link| link.target_id.as_deref());
        if let Some(id) = linked
            && let Some(account) = target.read(subject.object(), id).await.map_err(told)?
        {
            return Ok(account);
        }
        let plan = settings.plan(&draft.mapping).map_err(|error| JobError::Invalid(error.to_string()))?;
        let matches = self.with_world_of(subject, false, |source, world| plan.match_values(source, world)).transpose();
        let matches = matches.map_err(|failure| JobError::Invalid(failure.reason))?.unwrap_or_default();
        for wanted in &matches {
            let mut found = target.find(subject.object(), wanted).await.map_err(told)?;
            match (found.pop(), found.len()) {
                (Some(only), 0) => return Ok(only),
                (Some(_), others) => {
                    let (count, path) = (others + 1, wanted.path.text());
                    return Err(JobError::Invalid(format!(
                        "{count} accounts match by {path}; nobody knows which would be updated"
                    )));
                }
                (None, _) => {}
            }
        }
        let name = subject.label();
        Err(JobError::Invalid(format!(
            "{name} has no account at the target that could be updated; leave --update away to see what a new one gets"
        )))
    }

    /// Looks up which values are free; a target that cannot be asked is told of beside them.
    async fn look_up_free(
        &self,
        record: &JobRecord,
        settings: &JobSettings,
        draft: &Draft,
        (hidden, attributes): (&Redacted, &mut [AttributeTrial]),
    ) {
        if !attributes.iter().any(|one| matches!(one.effect, Effect::FirstFree { .. })) {
            return;
        }
        let target = self.target_of(record, settings);
        for (tried, attribute) in attributes.iter_mut().zip(&draft.mapping.attributes) {
            let Effect::FirstFree { candidates, taken, free, problem } = &mut tried.effect else { continue };
            let values = Candidates { values: candidates.clone(), failure: None };
            let looked = match (&target, plan_with(settings, draft.mapping.target_object, attribute.clone())) {
                (Ok(target), Ok(plan)) => available(target, &plan, &values).await.map_err(told),
                (Err(error), _) => Err(JobError::Invalid(error.to_string())),
                (_, Err(error)) => Err(error),
            };
            match looked {
                Ok(found) if found.free.is_some() => (*taken, *free, *problem) = (found.taken, found.free, None),
                Ok(found) => {
                    *taken = found.taken;
                    let why = problem.take().map_or_else(String::new, |why| format!(", and {why}"));
                    *problem = Some(format!("other accounts have all of them{why}"));
                }
                Err(error) if tried.redacted => {
                    // What the target answers may repeat the value.
                    drop(error);
                    *problem = Some("the target could not be asked".to_owned());
                }
                Err(error) => *problem = Some(hidden.hide(&format!("the target could not be asked: {error}"))),
            }
        }
    }
}

/// Those that are a draft's own: what only seems missing is told of where it cannot be parsed.
fn problems_of(draft: &Draft, mut problems: Vec<Located>, missing: Vec<Located>) -> Vec<String> {
    problems.retain(|problem| draft.unparsed.is_empty() || !problem.is_lack);
    problems.extend(missing);
    sentences(problems)
}

/// The plan of an object type with one attribute mapping alone.
fn plan_with(
    settings: &JobSettings,
    object: ObjectType,
    attribute: mapping::AttributeMapping,
) -> Result<ObjectPlan, JobError> {
    let mapping = settings.object(object).cloned().ok_or_else(|| not_mapped(object))?;
    let alone = mapping::ObjectMapping { attributes: vec![attribute], ..mapping };
    settings.plan(&alone).map_err(|error| JobError::Invalid(error.to_string()))
}

async fn available(target: &Target, plan: &ObjectPlan, candidates: &Candidates) -> Result<Availability, CallError> {
    let mut found = Availability::default();
    let Some(path) = plan.targets().first() else { return Ok(found) };
    for value in &candidates.values {
        let wanted = MatchValue { path, value: value.clone(), redacted: false };
        if target.find(plan.object(), &wanted).await?.is_empty() {
            found.free = Some(value.clone());
            break;
        }
        found.taken.push(value.clone());
    }
    Ok(found)
}

fn references(tx: &mut ReadTx<'_>, app: AppId, subject: &Subject) -> Result<References, JobError> {
    let mut references = References::default();
    if let Some(manager) = subject.user.as_ref().and_then(|user| user.manager) {
        references.manager = referred(tx, app, ObjectKind::User, manager.into())?;
    }
    if let Some(group) = &subject.group {
        let page = directory::members(tx, group.id, None, MEMBERS_NAMED + 1)?;
        references.more_members = page.items.len() > MEMBERS_NAMED as usize;
        for (id, kind) in page.items.into_iter().take(MEMBERS_NAMED as usize) {
            references.members.extend(referred(tx, app, kind, id)?);
        }
    }
    Ok(references)
}

fn referred(tx: &mut ReadTx<'_>, app: AppId, kind: ObjectKind, id: ObjectId) -> Result<Option<Referred>, JobError> {
    let name = match kind {
        ObjectKind::Group => directory::group(tx, id.group())?.map(|group| group.display_name),
        _ => directory::user(tx, id.user())?.map(|user| user.user_principal_name),
    };
    let account = account(tx, app, kind, id)?;
    Ok(name.map(|name| Referred { name, account }))
}

fn account(tx: &mut ReadTx<'_>, app: AppId, kind: ObjectKind, id: ObjectId) -> Result<Option<String>, StoreError> {
    let link = links::link(tx, app, kind, id)?.filter(|link| link.state != LinkState::Creating);
    Ok(link.and_then(|link| link.target_id))
}

fn told(error: CallError) -> JobError {
    match error {
        CallError::Refused(failure) | CallError::Unknown(failure) => JobError::Invalid(failure.reason),
        CallError::Job(problem) => JobError::Connection(problem),
    }
}

fn not_mapped(object: ObjectType) -> JobError {
    JobError::Invalid(match object {
        ObjectType::User => "the job has no mapping of users".to_owned(),
        ObjectType::Group => "the job has no mapping of groups".to_owned(),
    })
}

fn gone(subject: &Subject) -> String {
    format!("{} is gone from the directory", subject.label())
}
