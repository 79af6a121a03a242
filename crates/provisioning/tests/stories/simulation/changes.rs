//! What an organisation does to itself between two cycles, at random.

use directory::DirectoryError;
use provisioning::JobChange;
use serde_json::Value;
use store::{GroupId, ObjectKind, UserId, WriteTx};

use crate::world::{Chance, Job, World};

/// An organisation and how far it has come with giving names.
pub struct Organisation<'w> {
    world: &'w World,
    job: &'w Job<'w>,
    people: Vec<UserId>,
    groups: Vec<GroupId>,
    names: u32,
}

impl<'w> Organisation<'w> {
    /// An organisation with some people and two groups.
    pub async fn found(world: &'w World, job: &'w Job<'w>, chance: &Chance) -> Self {
        let mut organisation = Self { world, job, people: Vec::new(), groups: Vec::new(), names: 0 };
        for _ in 0..2 {
            organisation.new_group().await;
        }
        for _ in 0..=chance.below(6) {
            organisation.join(chance).await;
        }
        organisation
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("p{}", self.names)
    }

    fn person(&self, chance: &Chance) -> Option<UserId> {
        let pick = usize::try_from(chance.below(self.people.len().max(1) as u64)).unwrap_or(0);
        self.people.get(pick).copied()
    }

    fn any_group(&self, chance: &Chance) -> Option<GroupId> {
        let pick = usize::try_from(chance.below(self.groups.len().max(1) as u64)).unwrap_or(0);
        self.groups.get(pick).copied()
    }

    async fn new_group(&mut self) -> String {
        let name = format!("Group {}", self.name());
        self.groups.push(self.world.group_for(self.job.app, &name).await);
        format!("new {name}")
    }

    async fn join(&mut self, chance: &Chance) -> String {
        let name = self.name();
        let user = self.world.joins(&name).await;
        self.people.push(user);
        if chance.happens(50) {
            self.world.assign(self.job.app, user).await;
        }
        if let Some(group) = self.any_group(chance).filter(|_| chance.happens(70)) {
            self.attempt(move |tx, now| directory::add_member(tx, group, user.into(), ObjectKind::User, now)).await;
        }
        if let Some(manager) = self.person(chance).filter(|manager| chance.happens(50) && *manager != user) {
            self.set(user, "manager", manager.to_string()).await;
        }
        format!("{name} joins as {user}")
    }

    /// Does something that the directory may refuse.
    async fn attempt<T: Send + 'static>(
        &self,
        mut what: impl FnMut(&mut WriteTx<'_>, jiff::Timestamp) -> Result<T, DirectoryError> + Send + 'static,
    ) -> bool {
        let now = self.world.clock.now();
        self.world.store.write(move |tx| what(tx, now)).await.is_ok()
    }

    async fn set(&self, user: UserId, name: &str, value: impl Into<Value>) -> bool {
        let changes = [(name.to_owned(), Some(value.into()).filter(|value| *value != Value::Null))];
        self.attempt(move |tx, now| directory::change_user(tx, user, &changes, now)).await
    }

    /// One change; gives it in words.
    pub async fn change(&mut self, chance: &Chance) -> String {
        let app = self.job.app;
        let (Some(user), Some(group)) = (self.person(chance), self.any_group(chance)) else {
            return self.join(chance).await;
        };
        let (what, done) = match chance.below(20) {
            0..=2 => return self.join(chance).await,
            3 => {
                let name = format!("{}@contoso.com", self.name());
                (format!("{user} is called {name}"), self.set(user, "userPrincipalName", name).await)
            }
            4 => {
                let title = format!("Title {}", self.name());
                (format!("{user} is {title}"), self.set(user, "jobTitle", title).await)
            }
            5 => return self.manage(chance, user).await,
            6 => (format!("{user} is blocked"), self.set(user, "accountEnabled", false).await),
            7 => (format!("{user} is let in"), self.set(user, "accountEnabled", true).await),
            8 => {
                (format!("{user} is deleted"), self.attempt(move |tx, now| directory::delete_user(tx, user, now)).await)
            }
            9 => (
                format!("{user} is restored"),
                self.attempt(move |tx, now| directory::restore_user(tx, user, now)).await,
            ),
            10 => (
                format!("{user} is purged"),
                self.attempt(move |tx, now| {
                    if directory::user(tx, user)?.is_some_and(|user| user.deleted.is_none()) {
                        directory::delete_user(tx, user, now)?;
                    }
                    directory::purge_user(tx, user, now)
                })
                .await,
            ),
            11 => (
                format!("{user} is assigned"),
                self.attempt(move |tx, now| directory::assign(tx, app, user.into(), ObjectKind::User, None, now)).await,
            ),
            12 => (
                format!("{user} is not assigned"),
                self.attempt(move |tx, now| directory::unassign(tx, app, user.into(), None, now)).await,
            ),
            13 | 14 => (
                format!("{user} enters {group}"),
                self.attempt(move |tx, now| directory::add_member(tx, group, user.into(), ObjectKind::User, now)).await,
            ),
            15 => (
                format!("{user} exits {group}"),
                self.attempt(move |tx, now| directory::remove_member(tx, group, user.into(), now)).await,
            ),
            19 => {
                self.job.change(JobChange { restart: true, ..JobChange::default() }).await;
                return "the job is restarted".to_owned();
            }
            other => return self.change_group(other, group).await,
        };
        format!("{what}: {done}")
    }

    async fn manage(&self, chance: &Chance, user: UserId) -> String {
        let manager = self.person(chance).filter(|manager| chance.happens(70) && *manager != user);
        let value = manager.map_or(Value::Null, |manager| manager.to_string().into());
        format!("{user} has the manager {value}: {}", self.set(user, "manager", value.clone()).await)
    }

    async fn change_group(&mut self, which: u64, group: GroupId) -> String {
        let app = self.job.app;
        let (what, done) = match which {
            16 => {
                let changes = [("displayName".to_owned(), Some(Value::from(format!("Group {}", self.name()))))];
                let what = format!("{group} is renamed");
                (what, self.attempt(move |tx, now| directory::change_group(tx, group, &changes, now)).await)
            }
            17 => (
                format!("{group} is assigned or not"),
                self.attempt(move |tx, now| {
                    if !directory::unassign(tx, app, group.into(), None, now)? {
                        directory::assign(tx, app, group.into(), ObjectKind::Group, None, now)?;
                    }
                    Ok(())
                })
                .await,
            ),
            _ if self.groups.len() < 3 => return self.new_group().await,
            _ => {
                self.groups.retain(|one| *one != group);
                let deleted = self.attempt(move |tx, now| directory::delete_group(tx, group, now)).await;
                let what = format!("{group} is dissolved");
                (what, deleted && self.attempt(move |tx, now| directory::purge_group(tx, group, now)).await)
            }
        };
        format!("{what}: {done}")
    }
}
