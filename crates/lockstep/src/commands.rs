//! One module a command. Each is thin: it reads its options, calls the directory, the provider or the provisioning
//! service, and shows what they answer.

mod admin;
mod app;
mod assign;
mod attribute_values;
mod audit;
mod backup;
mod client;
mod configuration;
mod cycle;
mod demo;
mod doctor;
mod events;
mod expression;
mod expression_check;
mod filter_operators;
mod filter_test;
mod find;
mod group;
mod import;
mod logs;
mod mapping_test;
mod mapping_versions;
mod pages;
mod provision;
mod records;
mod requests;
mod schema;
mod serve;
mod status;
mod suggest;
mod tenant;
mod tenant_export;
mod tenant_schema;
mod tenant_show;
mod token;
mod user;
mod webhook;

use tokio::runtime::Runtime;

use crate::cli::{Command, FilterCommand, MappingCommand, SchemaFileCommand};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::world::World;

/// Carries out a command.
pub fn run(
    command: Command,
    config: Config,
    data_is_given: bool,
    output: Output,
    runtime: &Runtime,
) -> anyhow::Result<Outcome> {
    if let Command::Demo(args) = command {
        return demo::run(&args, config, data_is_given, output, runtime);
    }
    match &command {
        Command::Expression(alone) if !expression::needs_data(alone) => {
            return expression::run_alone(alone, config.default_domain.as_deref(), output);
        }
        Command::Filter(FilterCommand::Operators) => return filter_operators::run(output),
        Command::Schema(SchemaFileCommand::Convert(args)) => return schema::convert(args, output),
        _ => {}
    }
    let world = World::open(config, runtime)?;
    runtime.block_on(async {
        match in_world(command, &world, output).await {
            Err(error) => Err(suggest::with_cure(error, &world).await),
            done => done,
        }
    })
}

async fn in_world(command: Command, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        Command::Serve(_) => serve::run(world, output).await,
        Command::Import(import) => import::run(import, world, output).await,
        Command::User(command) => user::run(command, world, output).await,
        Command::Group(command) => group::run(command, world, output).await,
        Command::Admin(command) => admin::run(command, world, output).await,
        Command::App(command) => app::run(command, world, output).await,
        Command::Assign(args) => assign::assign(args, world, output).await,
        Command::Unassign(args) => assign::unassign(args, world, output).await,
        Command::Tenant(command) => tenant::run(command, world, output).await,
        Command::Token(command) => token::run(command, world, output).await,
        Command::TestConnection { app } => app::test_connection(&app, world, output).await,
        Command::Expression(command) => expression::run(command, world, output).await,
        Command::Mapping(MappingCommand::Test(args)) => mapping_test::run(&args, world, output).await,
        Command::Filter(command) => filter_test::run(command, world, output).await,
        Command::Mapping(MappingCommand::Versions(command)) => mapping_versions::run(command, world, output).await,
        Command::Schema(command) => schema::run(command, world, output).await,
        Command::Config(command) => configuration::run(command, world, output).await,
        Command::Plan { app } => cycle::plan(&app, world, output).await,
        Command::Sync { app, settle } => cycle::sync(&app, settle, world, output).await,
        Command::Provision(args) => provision::run(args, world, output).await,
        Command::Status { app } => status::run(app.as_deref(), world, output).await,
        Command::Audit { limit } => audit::run(limit, world, output).await,
        Command::Logs(args) => logs::run(args, world, output).await,
        Command::Doctor { connections } => doctor::run(connections, world, output).await,
        Command::Backup { folder } => backup::run(&folder, world, output).await,
        Command::Demo(_) | Command::Completions { .. } => Ok(Outcome::Done),
    }
}
