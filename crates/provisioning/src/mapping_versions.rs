//! The versions of a job's mappings: each change of them makes one, any of them can be told apart from another and gone back to.
//! What stands in which table is the store's; what a difference is, the mapping crate's.

use jiff::Timestamp;
use mapping::ObjectMapping;
use mapping::schema::{
    self, AttributeDefinition, Document, Exported, Finding, Names, SOURCE_DIRECTORY, Severity, TARGET_DIRECTORY,
};
use serde::Serialize;
use store::mapping_versions::{
    VersionHead, VersionRecord, documents_kept, insert_version, latest_version, schema_document, version_by_number,
    versions_before,
};
use store::{AppId, ReadTx, StoreError, WriteTx};

use crate::engine::{Engine, read_settings};
use crate::job::{Entry, JobChange, JobError};
use crate::settings::JobSettings;
use crate::source::why_unusable;
use crate::surroundings::missing_groups;
use crate::view::JobView;

/// The template of applications that are in no gallery.
const CUSTOM: &str = "scim";
/// Who made a version that nobody wrote down.
const UNKNOWN_ACTOR: &str = "unknown";
/// What made the first version of a job that is older than versions are.
const BEGINNING: &str = "the mappings before the first change that is kept";
/// What made a version where nobody said more.
const CHANGED: &str = "the mappings were changed";
/// What made the version that a job began with.
pub(crate) const ADDED: &str = "the application was added";

/// The schema document that stands behind a job's mappings, and is the base of its export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SchemaBase {
    /// The one that stands behind the mappings already, if there is one.
    #[default]
    Keep,
    /// None.
    Without,
    /// This one, as JSON text: it was imported.
    Imported(String),
    /// The one of an earlier version.
    OfVersion(i64),
}

/// When a version of a job's mappings was made, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Its number in the job, from 1.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// By whom, as the audit log names them.
    pub actor: String,
    /// What made it.
    pub reason: String,
    /// The version that brought the schema document behind it, if there is one and it is still kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_of: Option<i64>,
}

impl From<VersionHead> for VersionView {
    fn from(head: VersionHead) -> Self {
        let VersionHead { number, at, actor, reason, document } = head;
        Self { version: number, at, actor, reason, schema_of: document }
    }
}

/// A version of a job's mappings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappingVersion {
    /// When, by whom and why.
    #[serde(flatten)]
    pub head: VersionView,
    /// The mappings.
    #[serde(rename = "mappings")]
    pub objects: Vec<ObjectMapping>,
}

/// Versions, latest first.
#[derive(Clone, Debug)]
pub struct VersionPage {
    /// The versions.
    pub versions: Vec<VersionView>,
    /// Before which number the list goes on, if it does.
    pub next: Option<i64>,
}

impl Engine {
    /// Versions of a job's mappings with numbers below `before` (or the latest), latest first, `limit` at the most. The latest one is what
    /// counts now.
    pub async fn mapping_versions(&self, app: AppId, before: Option<i64>, limit: u32) -> Result<VersionPage, JobError> {
        self.load(app).await?;
        let read = self.store().read(move |tx| {
            let heads = versions_before(tx, app, before, limit)?;
            if heads.is_empty() && before.is_none() {
                return Ok((vec![current(tx, app)?.head], false));
            }
            let is_full = heads.len() >= limit as usize;
            Ok::<_, JobError>((with_documents(tx, app, heads)?, is_full))
        });
        let (heads, is_full) = read.await?;
        let next = heads.last().map(|head| head.number).filter(|number| is_full && *number > 1);
        Ok(VersionPage { versions: heads.into_iter().map(VersionView::from).collect(), next })
    }

    /// The version of that number, or the latest.
    pub async fn mapping_version(&self, app: AppId, number: Option<i64>) -> Result<MappingVersion, JobError> {
        let read = self.store().read(move |tx| {
            let record = version(tx, app, number)?;
            let heads = with_documents(tx, app, vec![record.head.clone()])?;
            Ok::<_, JobError>((record, heads))
        });
        let (record, heads) = read.await?;
        let head = heads.into_iter().next().unwrap_or_else(|| record.head.clone());
        Ok(MappingVersion { objects: objects_of(&record)?, head: head.into() })
    }

    /// The schema document that stands behind a version, or the latest, as JSON text.
    pub async fn schema_base(&self, app: AppId, number: Option<i64>) -> Result<Option<String>, JobError> {
        let read = self.store().read(move |tx| {
            let Some(of) = version(tx, app, number)?.head.document else { return Ok(None) };
            Ok::<_, JobError>(schema_document(tx, app, of)?)
        });
        read.await
    }

    /// The mappings of a job as Microsoft Graph's synchronization schema: what was imported, with what has changed since, or a whole one
    /// where none was. The same mappings give the same document.
    pub async fn schema(&self, app: AppId) -> Result<Exported, JobError> {
        let (_, template, settings) = self.load(app).await?;
        let base = self.schema_base(app, None).await?.map(|text| Document::parse(text.as_bytes())).transpose();
        let base = base.map_err(|error| JobError::Invalid(format!("the schema that was imported: {error}")))?;
        let job = app.to_string().parse().map_or(0, |id: uuid::Uuid| id.as_u128());
        let id = |number: u128| uuid::Uuid::from_u128(job ^ number).to_string();
        let is_custom = template.name == CUSTOM;
        let names = Names {
            schema_id: format!("{}.{app}", template.name),
            rule_id: id(1),
            source_directory_id: id(2),
            target_directory_id: id(3),
            source_directory: SOURCE_DIRECTORY.to_owned(),
            target_directory: if is_custom { TARGET_DIRECTORY } else { &template.title }.to_owned(),
        };
        let mut exported = schema::write_for(base.as_ref(), &settings.objects, &names, &why_unusable);
        let gone = self.store().read(move |tx| gone_document(tx, app, None)).await?;
        if let Some(reason) = gone.filter(|_| base.is_none()) {
            let place = "the document".to_owned();
            exported
                .findings
                .insert(0, Finding { severity: Severity::Different, blocks: false, place, short_place: None, reason });
        }
        Ok(exported)
    }

    /// Mappings of a document as the job has them: without the entries of the attribute list that stand in a document because every target
    /// has one there, and say nothing.
    pub async fn as_mapped(&self, app: AppId, mut objects: Vec<ObjectMapping>) -> Result<Vec<ObjectMapping>, JobError> {
        leave_out_empty_entries(&mut objects, &self.load(app).await?.2);
        Ok(objects)
    }

    /// What a way back to a version cannot bring back; each is one sentence.
    pub async fn roll_back_warnings(&self, app: AppId, number: i64) -> Result<Vec<String>, JobError> {
        let now = self.load(app).await?.2.objects;
        let read = self.store().read(move |tx| {
            let record = version(tx, app, Some(number))?;
            let mut warnings: Vec<String> = missing_groups(tx, &now, &objects_of(&record)?)?
                .into_iter()
                .map(|missing| format!("{}: nobody is a member of it", missing.what))
                .collect();
            warnings.extend(gone_document(tx, app, Some(number))?);
            Ok::<_, JobError>(warnings)
        });
        read.await
    }

    /// Goes back to a version: makes a new one that is equal to it. Everything is looked at again afterwards. Says nothing
    /// changed where the mappings are those of that version already.
    pub async fn roll_back(
        &self,
        app: AppId,
        number: i64,
        if_latest: Option<i64>,
    ) -> Result<Option<JobView>, JobError> {
        let wanted = self.mapping_version(app, Some(number)).await?;
        let change = JobChange {
            objects: Some(wanted.objects),
            schema: SchemaBase::OfVersion(number),
            reason: Some(format!("rolled back to version {number}")),
            if_mapping_version: if_latest,
            ..JobChange::default()
        };
        self.change_mappings(app, change).await
    }

    /// Gives a job the mappings and filters of its template again, as a new version. Says nothing changed where it has them.
    pub async fn restore_defaults(&self, app: AppId, if_latest: Option<i64>) -> Result<Option<JobView>, JobError> {
        let (_, template, _) = self.load(app).await?;
        let change = JobChange {
            objects: Some(template.objects.clone()),
            schema: SchemaBase::Without,
            reason: Some(format!("restored the defaults of {}", template.name)),
            if_mapping_version: if_latest,
            ..JobChange::default()
        };
        self.change_mappings(app, change).await
    }

    /// The mappings that a job would have after [`Engine::restore_defaults`].
    pub async fn default_mappings(&self, app: AppId) -> Result<Vec<ObjectMapping>, JobError> {
        Ok(self.load(app).await?.1.objects.clone())
    }

    /// Replaces the mappings of a job and what stands behind them; none where that changes nothing. Where the mappings themselves stay,
    /// nothing is looked at again.
    pub async fn change_mappings(&self, app: AppId, change: JobChange) -> Result<Option<JobView>, JobError> {
        let base = change.schema.clone();
        let read = self.store().read(move |tx| {
            let latest = version(tx, app, None)?;
            let document = document_after(tx, app, &base, latest.head.document, 0)?;
            let is_same = document.behind == latest.head.document && document.brings.is_none();
            Ok::<_, JobError>((latest, is_same))
        });
        let (latest, is_same_document) = read.await?;
        let is_same = change.objects.as_ref() == Some(&objects_of(&latest)?);
        if is_same && is_same_document {
            return Ok(None);
        }
        let objects = change.objects.filter(|_| !is_same);
        let if_mapping_version = change.if_mapping_version.or(Some(latest.head.number));
        self.change_job(app, JobChange { objects, if_mapping_version, ..change }).await.map(Some)
    }
}

/// Heads that name no document which is kept no more.
fn with_documents(
    tx: &mut ReadTx<'_>,
    app: AppId,
    mut heads: Vec<VersionHead>,
) -> Result<Vec<VersionHead>, StoreError> {
    let kept = documents_kept(tx, app)?;
    for head in &mut heads {
        head.document = head.document.filter(|number| kept.contains(number));
    }
    Ok(heads)
}

/// Says so where a version, or the latest, came of a document that is not kept any more.
fn gone_document(tx: &mut ReadTx<'_>, app: AppId, number: Option<i64>) -> Result<Option<String>, JobError> {
    let head = version(tx, app, number)?.head;
    let kept = documents_kept(tx, app)?;
    Ok(head.document.filter(|document| !kept.contains(document)).map(|document| {
        format!(
            "the schema that was imported as version {document} is not kept any more: an export has the mappings, and what else that schema said is gone"
        )
    }))
}

/// The mappings of a version.
fn objects_of(record: &VersionRecord) -> Result<Vec<ObjectMapping>, JobError> {
    serde_json::from_str(&record.objects).map_err(|error| {
        JobError::Invalid(format!("version {} of the mappings cannot be read: {error}", record.head.number))
    })
}

/// The version of that number, or the latest. A job whose mappings were never changed has one: what it is.
fn version(tx: &mut ReadTx<'_>, app: AppId, number: Option<i64>) -> Result<VersionRecord, JobError> {
    let Some(latest) = latest_version(tx, app)? else {
        let only = current(tx, app)?;
        return if number.is_none_or(|number| number == only.head.number) {
            Ok(only)
        } else {
            Err(no_version(number, 1, 1))
        };
    };
    let Some(wanted) = number.filter(|wanted| *wanted != latest.head.number) else { return Ok(latest) };
    let last = latest.head.number;
    let first = (last - i64::from(store::mapping_versions::VERSIONS_MAX) + 1).max(1);
    version_by_number(tx, app, wanted)?.ok_or_else(|| no_version(number, first, last))
}

fn no_version(number: Option<i64>, first: i64, last: i64) -> JobError {
    let range =
        if first == last { format!("there is only version {last}") } else { format!("{first} to {last} are kept") };
    JobError::Invalid(format!("the mappings have no version {}; {range}", number.unwrap_or_default()))
}

/// The one version of a job whose mappings were never changed.
fn current(tx: &mut ReadTx<'_>, app: AppId) -> Result<VersionRecord, JobError> {
    let application = store::applications::app_by_id(tx, app)?.ok_or(JobError::NotFound)?;
    let record = store::jobs::job_by_app(tx, app)?.ok_or(JobError::NotFound)?;
    let (_, settings) = read_settings(&record, &application.template)?;
    beginning(&settings, application.created)
}

fn beginning(settings: &JobSettings, created: Timestamp) -> Result<VersionRecord, JobError> {
    let head = VersionHead {
        number: 1,
        at: created,
        actor: UNKNOWN_ACTOR.to_owned(),
        reason: BEGINNING.to_owned(),
        document: None,
    };
    Ok(VersionRecord { head, objects: objects_text(&settings.objects)? })
}

fn objects_text(objects: &[ObjectMapping]) -> Result<String, JobError> {
    serde_json::to_string(objects).map_err(|error| JobError::Invalid(error.to_string()))
}

/// Keeps the version that a new job begins with.
pub(crate) fn begin(
    tx: &mut WriteTx<'_>,
    app: AppId,
    objects: &[ObjectMapping],
    document: Option<&str>,
    entry: &Entry,
) -> Result<(), JobError> {
    let head = VersionHead {
        number: 1,
        at: entry.at,
        actor: entry.actor.clone(),
        reason: ADDED.to_owned(),
        document: document.map(|_| 1),
    };
    Ok(insert_version(tx, app, &VersionRecord { head, objects: objects_text(objects)? }, document)?)
}

/// Which document stands behind the next version.
struct DocumentAfter {
    /// The number of the version that brought it.
    behind: Option<i64>,
    /// Its text, where the next version brings it.
    brings: Option<String>,
}

fn document_after(
    tx: &mut ReadTx<'_>,
    app: AppId,
    base: &SchemaBase,
    before: Option<i64>,
    next: i64,
) -> Result<DocumentAfter, StoreError> {
    let behind = match base {
        SchemaBase::Keep => before,
        SchemaBase::Without => None,
        SchemaBase::OfVersion(number) => version_by_number(tx, app, *number)?.and_then(|record| record.head.document),
        SchemaBase::Imported(text) => {
            let same = match before {
                Some(number) => schema_document(tx, app, number)?.as_ref() == Some(text),
                None => false,
            };
            if !same {
                return Ok(DocumentAfter { behind: Some(next), brings: Some(text.clone()) });
            }
            before
        }
    };
    Ok(DocumentAfter { behind, brings: None })
}

/// Keeps a version of the mappings in the transaction that changes them; gives its head, or none where nothing changed.
pub(crate) fn keep(
    tx: &mut WriteTx<'_>,
    app: AppId,
    before: &JobSettings,
    after: &JobSettings,
    change: &JobChange,
    entry: &Entry,
) -> Result<Option<VersionHead>, JobError> {
    let latest = latest_version(tx, app)?;
    let is_first = latest.is_none();
    let former =
        if let Some(latest) = latest { latest } else { beginning(before, directory::application(tx, app)?.created)? };
    if change.if_mapping_version.is_some_and(|expected| expected != former.head.number) {
        return Err(JobError::ChangedMeanwhile);
    }
    let number = former.head.number + 1;
    let document = document_after(tx, app, &change.schema, former.head.document, number)?;
    if before.objects == after.objects && document.behind == former.head.document && document.brings.is_none() {
        return Ok(None);
    }
    if is_first {
        insert_version(tx, app, &former, None)?;
    }
    let head = VersionHead {
        number,
        at: entry.at,
        actor: entry.actor.clone(),
        reason: change.reason.clone().unwrap_or_else(|| CHANGED.to_owned()),
        document: document.behind,
    };
    let record = VersionRecord { head, objects: objects_text(&after.objects)? };
    insert_version(tx, app, &record, document.brings.as_deref())?;
    Ok(Some(record.head))
}

/// Leaves out entries that say what counts without them, text of which the case counts, where the job maps the attribute without one. Where the
/// target has told something of the attribute, an entry is an answer to that, and is kept.
fn leave_out_empty_entries(objects: &mut [ObjectMapping], job: &JobSettings) {
    for object in objects {
        let Some(before) = job.object(object.target_object) else { continue };
        let told = job.discovered.of(object.target_object);
        object.target_attributes.retain(|entry| {
            let is_it = |name: &str| name.eq_ignore_ascii_case(&entry.name);
            let (name, required) = (entry.name.clone(), entry.required);
            let plain = AttributeDefinition { name, required, case_exact: true, ..AttributeDefinition::default() };
            let is_mapped = before.attributes.iter().any(|mapping| is_it(&mapping.target));
            let mut known = before.target_attributes.iter().chain(told);
            // What RFC 7643 defines is that without an entry, which says something else then.
            let is_defined = schema::is_standard(object.target_object, &entry.name);
            *entry != plain || is_defined || !is_mapped || known.any(|other| is_it(&other.name))
        });
    }
}

#[cfg(test)]
mod tests {
    use mapping::AttributeMapping;
    use mapping::schema::{AttributeType, Difference};

    use super::*;
    use crate::gallery::Template;

    /// The object mappings of a document that says what these say.
    fn out_and_in(objects: &[ObjectMapping]) -> Vec<ObjectMapping> {
        let text = || "x".to_owned();
        let names = Names {
            schema_id: text(),
            rule_id: text(),
            source_directory_id: text(),
            target_directory_id: text(),
            source_directory: SOURCE_DIRECTORY.to_owned(),
            target_directory: TARGET_DIRECTORY.to_owned(),
        };
        let written = schema::write(None, objects, &names).document.to_text();
        schema::read(&Document::parse(written.as_bytes()).unwrap()).objects
    }

    fn job(objects: &[ObjectMapping]) -> JobSettings {
        let template = Template::by_name("scim").unwrap();
        JobSettings { objects: objects.to_vec(), ..JobSettings::of(template, "https://app.example.com/scim") }
    }

    #[test]
    fn what_is_exported_and_imported_again_is_as_it_was() {
        for template in Template::all() {
            let mut with_own = template.objects.clone();
            for object in &mut with_own {
                for (target, required) in [("urn:acme:2.0:User:level", false), ("badge", true), ("roles", false)] {
                    let source = mapping::MappingSource::Attribute("displayName".to_owned());
                    let target = target.to_owned();
                    object.attributes.push(AttributeMapping {
                        target,
                        source,
                        required,
                        ..AttributeMapping::default()
                    });
                }
            }
            for objects in [&template.objects, &with_own] {
                let mut again = out_and_in(objects);
                leave_out_empty_entries(&mut again, &job(objects));
                assert_eq!(Difference::between(objects, &again).to_string(), "", "{}", template.name);
            }
        }
    }

    #[test]
    fn an_entry_that_says_something_here_is_kept() {
        let mut mapped = Template::by_name("scim").unwrap().objects[0].clone();
        let source = mapping::MappingSource::Attribute("displayName".to_owned());
        mapped.attributes.push(AttributeMapping::new("badge", source));
        let entry = AttributeDefinition { name: "badge".into(), case_exact: true, ..AttributeDefinition::default() };
        let listed = ObjectMapping { target_attributes: vec![entry.clone()], ..mapped.clone() };
        let told = AttributeDefinition { kind: AttributeType::Boolean, ..entry };
        for (before, told, is_kept) in [(&mapped, None, false), (&mapped, Some(told), true), (&listed, None, true)] {
            let mut job = job(std::slice::from_ref(before));
            job.discovered.users.extend(told);
            let mut imported = vec![listed.clone()];
            leave_out_empty_entries(&mut imported, &job);
            assert_eq!(imported[0] == listed, is_kept, "{before:?}");
        }
        // Of what RFC 7643 defines the entry says that case counts.
        let case_exact =
            AttributeDefinition { name: "displayName".into(), case_exact: true, ..AttributeDefinition::default() };
        let cased = ObjectMapping { target_attributes: vec![case_exact], ..mapped.clone() };
        let mut imported = vec![cased.clone()];
        leave_out_empty_entries(&mut imported, &job(&[mapped]));
        assert_eq!(imported, [cased]);
    }
}
