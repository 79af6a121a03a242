//! The four applications of the demo: who is assigned to each, its tenant and its job.

use provider::{Scope, TenantSettings};
use provisioning::{NewJob, Template};
use store::{AppId, ObjectKind, TenantKey};

use crate::commands::{tenant, token};
use crate::world::{World, now};

/// An application as the demo sets it up.
#[derive(Debug)]
pub struct Definition {
    /// The display name.
    pub name: &'static str,
    /// The gallery template, and the profile of its tenant.
    pub template: &'static str,
    /// App roles beside *Default Access*.
    pub roles: &'static [&'static str],
    /// The groups that are assigned, each with its role; none is *Default Access*.
    pub assigned: &'static [(&'static str, Option<&'static str>)],
    /// Whether leavers are disabled, rather than deleted.
    pub disables: bool,
}

/// What is set up.
pub const DEFINITIONS: [Definition; 4] = [
    Definition {
        name: "Netskope",
        template: "netskope",
        roles: &["User", "Administrator"],
        assigned: &[("All staff", Some("User")), ("Managers", Some("Administrator")), ("VPN users", None)],
        disables: true,
    },
    Definition {
        name: "Palo Alto CIE",
        template: "palo-alto-cie",
        roles: &["User"],
        assigned: &[
            ("All staff", Some("User")),
            ("All guests", None),
            ("Department Sales", None),
            ("Department Support", None),
            ("Department Engineering", None),
            ("Office 東京", None),
        ],
        disables: true,
    },
    Definition {
        name: "Forcepoint CSG",
        template: "forcepoint-csg",
        roles: &["User"],
        assigned: &[("Department Sales", Some("User")), ("Department Support", Some("User")), ("Executives", None)],
        disables: false,
    },
    Definition {
        name: "Storegate",
        template: "storegate",
        roles: &["User", "Owner"],
        assigned: &[("Managers", Some("User")), ("Executives", Some("Owner")), ("Contractors", None)],
        disables: true,
    },
];

impl Definition {
    /// Whether people with nothing but *Default Access* are left out.
    pub fn excludes_default_access(&self) -> bool {
        Template::by_name(self.template).is_some_and(|template| template.exclude_default_access)
    }

    /// Whether the application knows groups.
    pub fn has_groups(&self) -> bool {
        Template::by_name(self.template).is_some_and(Template::has_groups)
    }
}

/// An application that is set up.
#[derive(Debug)]
pub struct Installed {
    /// What it was set up from.
    pub definition: &'static Definition,
    /// The display name.
    pub name: &'static str,
    /// Its id.
    pub app: AppId,
    /// The name of its tenant.
    pub tenant: String,
    /// The key of its tenant.
    pub key: TenantKey,
    /// The address of its tenant.
    pub scim_url: String,
    /// The secret token of its tenant.
    pub token: String,
}

/// Sets all of them up: tenant, token, application with its job, assignments.
pub async fn install(world: &World, public_url: &str) -> anyhow::Result<Vec<Installed>> {
    let engine = world.engine()?;
    let mut installed = Vec::with_capacity(DEFINITIONS.len());
    for definition in &DEFINITIONS {
        let tenant_name = format!("contoso-{}", definition.template);
        let made =
            tenant::add(world, tenant_name.clone(), definition.template.to_owned(), TenantSettings::default(), None)
                .await?;
        let token = token::add(world, tenant_name.clone(), "provisioning".to_owned(), 1, Scope::Write).await?.text;
        let scim_url = TenantSettings::default().scim_base(public_url, &tenant_name);
        let job = engine
            .add_job(NewJob {
                template: definition.template.to_owned(),
                name: definition.name.to_owned(),
                tenant_url: scim_url.clone(),
                secret_token: token.clone(),
                roles: definition.roles.iter().map(|role| (*role).to_owned()).collect(),
                ..NewJob::default()
            })
            .await?;
        assign(world, definition, job.app).await?;
        let name = definition.name;
        installed.push(Installed {
            definition,
            name,
            app: job.app,
            tenant: tenant_name,
            key: made.key,
            scim_url,
            token,
        });
    }
    Ok(installed)
}

async fn assign(world: &World, definition: &'static Definition, app: AppId) -> Result<(), directory::DirectoryError> {
    let now = now();
    world
        .store()
        .write(move |tx| {
            for (name, role) in definition.assigned {
                let group = directory::find_group(tx, name)?;
                directory::assign(tx, app, group.id.into(), ObjectKind::Group, *role, now)?;
            }
            Ok(())
        })
        .await
}
