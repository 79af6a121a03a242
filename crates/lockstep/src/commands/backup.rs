//! `backup`: a consistent copy of the data, with its key, while others go on writing.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::json;
use store::StoreError;

use crate::config::FILE_NAME;
use crate::data_folder::{make_folder, write_private};
use crate::files::cannot_write;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::progress::{Bar, Unit};
use crate::world::World;

/// Carries out `backup`.
pub async fn run(folder: &Path, world: &World, output: Output) -> anyhow::Result<Outcome> {
    if world.config().postgres.is_some() {
        bail!("a PostgreSQL database is backed up with pg_dump; keep {} with it", world.folder().key_file().display());
    }
    if folder.exists() {
        bail!("{} is there already and is not overwritten; name a folder that is not there", folder.display());
    }
    make_folder(folder).map_err(|error| cannot_write(folder, error))?;
    let copied = copy(folder, world, output).await;
    if copied.is_err() {
        // Half a backup is worse than none: somebody might trust it.
        drop(std::fs::remove_dir_all(folder));
    }
    copied?;
    if output.is_json() {
        output.json(&json!({ "folder": folder, "database": "lockstep.db", "key": "master.key" }))?;
    } else {
        let shown = folder.display();
        output.line(&format!(
            "The data and its key were copied to {shown}; whoever has both has everything. Use it with --data {shown}"
        ))?;
    }
    Ok(Outcome::Done)
}

async fn copy(folder: &Path, world: &World, output: Output) -> anyhow::Result<()> {
    let database = folder.join("lockstep.db");
    write_private(&database, &[]).with_context(|| format!("{} cannot be written", database.display()))?;
    let bar = Bar::new(output, "Backing up", 0, Unit::Items);
    let shown = bar.clone();
    let copied = world.store().backup(database, move |done, total| shown.at(done, Some(total), "pages")).await;
    bar.done();
    copied.map_err(|error| at_destination(error, folder))?;
    let key = folder.join("master.key");
    write_private(&key, &world.folder().key()).with_context(|| format!("{} cannot be written", key.display()))?;
    let configuration = world.folder().path().join(FILE_NAME);
    if configuration.is_file() {
        let text =
            std::fs::read(&configuration).with_context(|| format!("{} cannot be read", configuration.display()))?;
        let file = folder.join(FILE_NAME);
        write_private(&file, &text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

/// A failure of the copy. What is full is where it was to be, and not where the database lies.
fn at_destination(error: StoreError, folder: &Path) -> anyhow::Error {
    let shown = folder.display();
    match error {
        StoreError::Full => {
            anyhow::anyhow!("no space is left for the backup {shown}; free some, or name another folder")
        }
        other => anyhow::Error::new(other).context(format!("the backup {shown} was not made")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::sentence;

    #[test]
    fn a_backup_that_fails_names_its_destination() {
        let told = |error| sentence(&at_destination(error, Path::new("/mnt/copy")));
        assert_eq!(
            told(StoreError::Full),
            "no space is left for the backup /mnt/copy; free some, or name another folder"
        );
        assert!(told(StoreError::Busy).starts_with("the backup /mnt/copy was not made: the database is busy"));
    }
}
