//! Whose account a change gives up is told before, whatever the change is; and the cycle after it does what was told.

use mapping::{FlowType, ObjectMapping};
use provisioning::configuration::ConfigurationFile;
use provisioning::{Fate, JobChange, ScopeSetting};
use serde_json::{Value, json};
use store::{ObjectId, ObjectKind};

use crate::fake_target::Nature;
use crate::staying::{KEEPING, Keeping};
use crate::world::{Job, World, on_both};

async fn told(job: &Job<'_>, change: &JobChange) -> Vec<String> {
    let losses = job.world.engine().scope_losses(job.app, change).await.expect("they are counted");
    losses.iter().map(ToString::to_string).collect()
}

async fn told_of_unassigning(
    job: &Job<'_>,
    who: impl Into<ObjectId>,
    kind: ObjectKind,
    role: Option<&str>,
) -> Vec<String> {
    let (who, role) = (vec![(who.into(), kind)], role.map(str::to_owned));
    let losses = job.world.engine().losses_by_unassigning(job.app, who, role).await.expect("they are counted");
    losses.iter().map(ToString::to_string).collect()
}

/// What is told of the job's file with a part of it replaced, and whether it is taken.
async fn told_of_file(job: &Job<'_>, from: &str, to: &str, apply: bool) -> Vec<String> {
    let engine = job.world.engine();
    let text = engine.configuration(job.app, true).await.expect("it can be read").to_toml();
    assert!(text.contains(from), "{from} in {text}");
    let file = ConfigurationFile::read(&text.replace(from, to)).expect("it is TOML");
    let proposal = engine.propose(&file).await.expect("nothing is wrong");
    if apply {
        engine.apply(&proposal, None, "").await.expect("it can be applied");
    }
    proposal.scope_losses.iter().map(ToString::to_string).collect()
}

fn active(job: &Job<'_>, name: &str) -> Value {
    job.target.with(|app| app.user_attribute(&format!("{name}@contoso.com"), "active"))
}

/// Ann and Bob are assigned through Sales, Bob through Staff too, and Cid himself as well.
async fn assigned_through_groups(world: &World, job: &Job<'_>) -> store::GroupId {
    let (sales, staff) = (world.group_for(job.app, "Sales").await, world.group_for(job.app, "Staff").await);
    for (name, more) in [("Ann", None), ("Bob", Some(staff))] {
        let user = world.joins(name).await;
        for group in Some(sales).into_iter().chain(more) {
            world.enters(group, user).await;
        }
    }
    let cid = world.joins_for(job.app, "Cid").await;
    world.enters(sales, cid).await;
    job.until_calm().await;
    sales
}

#[test]
fn members_of_a_group_that_is_unassigned_are_told_unless_something_else_keeps_them() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = assigned_through_groups(&world, &job).await;
        let expected = [
            "1 user would leave the scope and lose the account: ann@contoso.com",
            "1 group would leave the scope and lose the account: Sales",
        ];
        assert_eq!(told_of_unassigning(&job, sales, ObjectKind::Group, None).await, expected);
        let none = told_of_unassigning(&job, sales, ObjectKind::Group, Some("default access")).await;
        assert_eq!(none, [""; 0], "it is assigned with another role");
        // A group that takes its place keeps whom it has.
        let rest = world.group("Rest of them").await;
        let ann = world.hr(|tx, _| directory::find_user(tx, "ann@contoso.com").map(|user| user.id)).await;
        world.enters(rest, ann).await;
        let swapped = told_of_file(&job, "name = \"Sales\"", "name = \"Rest of them\"", false).await;
        assert_eq!(swapped, [expected[1]]);
        assert_eq!(told_of_file(&job, "  { name = \"Sales\", role = \"Member\" },\n", "", true).await, expected);
        let report = job.until_calm().await;
        assert_eq!((report.disabled, report.deleted), (1, 1), "{report}");
        assert_eq!(
            (active(&job, "ann"), active(&job, "bob"), active(&job, "cid")),
            (json!(false), json!(true), json!(true))
        );
        let again = told_of_unassigning(&job, sales, ObjectKind::Group, None).await;
        assert_eq!(again, [""; 0], "it is assigned no more");
    });
}

#[test]
fn who_has_default_access_only_is_told_before_that_counts_for_nothing() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let bob = world.joins("Bob").await;
        for user in [ann, bob] {
            world.assign_with(job.app, user.into(), ObjectKind::User, None).await;
        }
        job.until_calm().await;
        let change = JobChange { exclude_default_access: Some(true), ..JobChange::default() };
        let expected = ["1 user would leave the scope and lose the account: bob@contoso.com"];
        assert_eq!(told(&job, &change).await, expected);
        job.change(change).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        assert_eq!((active(&job, "ann"), active(&job, "bob")), (json!(true), json!(false)));
        let ending = told_of_unassigning(&job, ann, ObjectKind::User, Some("Member")).await;
        assert_eq!(ending, ["1 user would leave the scope and lose the account: ann@contoso.com"]);
        let other = told_of_unassigning(&job, ann, ObjectKind::User, Some("Default Access")).await;
        assert_eq!(other, [""; 0], "the other role is what counts");
    });
}

fn active_of(users: &mut ObjectMapping) -> &mut mapping::AttributeMapping {
    users.attributes.iter_mut().find(|mapping| mapping.target == "active").expect("it is mapped")
}

/// What keeps accounts beside what [`KEEPING`] has.
const KEEPING_TOO: [(&str, Keeping); 4] = [
    ("constant", |users| active_of(users).source = "\"True\"".parse().expect("it is an expression")),
    ("where empty", |users| active_of(users).flow_type = FlowType::AttributeAddOnly),
    ("always true", |users| {
        let source = "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"True\")";
        active_of(users).source = source.parse().expect("it is an expression");
    }),
    ("nothing", |users| {
        let source = "IIF([IsSoftDeleted], IgnoreAttributeFlow, \"True\")";
        active_of(users).source = source.parse().expect("it is an expression");
    }),
];

#[test]
fn who_leaves_the_scope_and_keeps_the_account_is_told_with_the_reason() {
    let reasons = [
        "no mapping reads `IsSoftDeleted`",
        "`flowTypes` lacks Update",
        "`active` is written at creation only",
        "no mapping reads `IsSoftDeleted`",
        "the mapping of `active` does not switch them off",
        "the mapping of `active` does not switch them off",
        "the mapping of `active` gives them no value",
    ];
    for ((what, keeping), because) in KEEPING.into_iter().chain(KEEPING_TOO).zip(reasons) {
        on_both(|world| async move {
            let job = world.job_named("scim", "scim", Nature::default(), Some(ScopeSetting::All)).await;
            world.joins("Ann").await;
            job.until_calm().await;
            job.map(|objects| keeping(&mut objects[0])).await;
            job.until_calm().await;
            let change = JobChange { scope: Some(ScopeSetting::Assigned), ..JobChange::default() };
            let words =
                format!("1 user would leave the scope and keep the account, because {because}; it is ann@contoso.com");
            assert_eq!(told(&job, &change).await, [words], "{what}");
            let losses = job.world.engine().scope_losses(job.app, &change).await.expect("they are counted");
            assert_eq!(losses[0].fate, Fate::Kept { because: because.to_owned() });
            job.change(change).await;
            assert_eq!(job.until_calm().await.disabled, 0, "{what}");
            assert_eq!(active(&job, "ann"), true, "{what}");
        });
    }
}

#[test]
fn accounts_that_filters_take_out_of_management_are_told() {
    let clauses = json!([{ "attribute": "department", "operator": "EQUALS", "value": "Sales" }]);
    let filters: mapping::ScopingFilters =
        serde_json::from_value(json!([{ "name": "Sales", "clauses": clauses }])).expect("they are filters");
    for is_input in [true, false] {
        let filters = filters.clone();
        on_both(|world| {
            let filters = filters.clone();
            async move {
                let job = world.job_named("scim", "scim", Nature::default(), Some(ScopeSetting::All)).await;
                world.joins("Ann").await;
                let bob = world.joins("Bob").await;
                world.joins_with("Cid", &[("department", "Sales")]).await;
                job.until_calm().await;
                // Who is disabled is managed still.
                world.set(bob, "accountEnabled", false).await;
                job.until_calm().await;
                let mut objects = world.engine().mappings(job.app).await.expect("the job is there");
                let slot = if is_input { &mut objects[0].input_filters } else { &mut objects[0].category_filters };
                *slot = filters;
                let change = JobChange { objects: Some(objects), ..JobChange::default() };
                let words = "2 accounts of users would no longer be managed and stay as they are: ann@contoso.com, bob@contoso.com";
                assert_eq!(told(&job, &change).await, [words]);
                job.change(change).await;
                job.target.take_requests();
                assert_eq!(job.until_calm().await.disabled, 0);
                assert_eq!(job.target.take_writes().len(), 0, "nothing is written about them");
                assert_eq!(active(&job, "ann"), true);
            }
        });
    }
}

#[test]
fn at_another_target_there_is_nothing_to_lose() {
    on_both(|world| async move {
        let job = world.job_named("scim", "scim", Nature::default(), Some(ScopeSetting::All)).await;
        world.joins("Ann").await;
        job.until_calm().await;
        let tenant_url = Some("https://elsewhere.example.com/scim".to_owned());
        let stays = JobChange { scope: Some(ScopeSetting::Assigned), ..JobChange::default() };
        assert_eq!(told(&job, &stays).await.len(), 1);
        assert_eq!(told(&job, &JobChange { tenant_url, ..stays }).await, [""; 0]);
    });
}
