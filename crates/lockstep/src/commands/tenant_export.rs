//! `tenant export`: all that a tenant has as JSON lines. The first is the tenant itself, the others are its resources as a GET answers
//! them. No secret is ever in it.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use provider::{Caller, Exported, ResourceKind, TenantError};
use serde_json::json;
use store::ResourceId;

use super::tenant_show::{self, in_words};
use crate::data_folder::owner_only;
use crate::files::cannot_write;
use crate::output::{Output, note};
use crate::progress::{Bar, Unit};
use crate::world::{World, now};

/// The form of the lines, to be counted up where a reader would have to know.
const FORM: u32 = 1;

/// Carries out `tenant export`.
pub async fn run(world: &World, output: Output, name: String, file: Option<&Path>, force: bool) -> anyhow::Result<()> {
    let Some(path) = file else {
        // What is printed is the export, so what is said of it goes elsewhere.
        let counts = write(world, output, &name, &mut BufWriter::new(std::io::stdout())).await?;
        note(&format!("the tenant {name} was exported with {}", in_words(&counts)));
        return Ok(());
    };
    let shown = path.display();
    if path.is_dir() {
        bail!("{shown} is a folder; name a file in it");
    }
    if path.exists() && !force {
        bail!("{shown} is there already; name another file, or say --force to replace it");
    }
    let new = NewFile::beside(path).map_err(|error| cannot_write(path, error))?;
    let mut to = BufWriter::new(new.file.try_clone().map_err(|error| cannot_write(path, error))?);
    let counts = write(world, output, &name, &mut to).await?;
    drop(to);
    new.keep(path).map_err(|error| cannot_write(path, error))?;
    if output.is_json() {
        let counted: serde_json::Map<_, _> = counts.into_iter().map(|(kind, count)| (kind, count.into())).collect();
        return output.json(&json!({ "tenant": name, "file": path, "resources": counted }));
    }
    output.line(&format!("Tenant {name} was exported to {shown} with {}", in_words(&counts)))
}

/// A file that is written beside its place, and gone again unless it is kept.
struct NewFile {
    file: File,
    path: Option<PathBuf>,
}

impl NewFile {
    fn beside(path: &Path) -> std::io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        // One that an export left which was killed may be readable by others.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = owner_only().write(true).create_new(true).open(&new)?;
        Ok(Self { file, path: Some(new) })
    }

    /// Puts the file in its place, once it is on the disk.
    fn keep(mut self, path: &Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        if let Some(new) = self.path.take() {
            std::fs::rename(&new, path)?;
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(new) = &self.path {
            drop(std::fs::remove_file(new));
        }
    }
}

/// Writes all lines; gives how many resources of each type were written.
async fn write(world: &World, output: Output, name: &str, to: &mut impl Write) -> anyhow::Result<Vec<(String, u64)>> {
    let url = tenant_show::scim_url(world, name).await?;
    let facts = tenant_show::facts(world, name).await?;
    let of = name.to_owned();
    let read = world.store().read(move |tx| {
        let caller = provider::administrator(tx, &of)?;
        Ok::<_, TenantError>((caller, provider::schemas(tx, &of)?))
    });
    let (caller, defined) = read.await?;
    let mut head = tenant_show::json(&facts, &url, now());
    if let Some(head) = head.as_object_mut() {
        head.insert("lockstep_export".to_owned(), FORM.into());
        head.insert("definition".to_owned(), defined.to_json());
    }
    serde_json::to_writer(&mut *to, &head)?;
    to.write_all(b"\n")?;
    let total = facts.counts.iter().map(|(_, count)| count).sum();
    let bar = Bar::new(output, "Exporting", total, Unit::Items);
    let mut export = Export { world, caller: Arc::new(caller), url, to, bar, done: 0 };
    let mut counts = Vec::new();
    for (kind, (named, _)) in export.caller.clone().profile().kinds().zip(facts.counts) {
        let before = export.done;
        match kind {
            ResourceKind::Group => export.groups().await?,
            ResourceKind::User | ResourceKind::Custom(_) => export.resources(kind).await?,
        }
        counts.push((named, export.done - before));
    }
    export.to.flush()?;
    export.bar.done();
    Ok(counts)
}

/// An export on its way.
struct Export<'a, W> {
    world: &'a World,
    caller: Arc<Caller>,
    url: String,
    to: &'a mut W,
    bar: Bar,
    done: u64,
}

impl<W: Write> Export<'_, W> {
    async fn resources(&mut self, kind: ResourceKind) -> anyhow::Result<()> {
        let mut after = None;
        loop {
            let (caller, url) = (Arc::clone(&self.caller), self.url.clone());
            let read = move |tx: &mut store::ReadTx<'_>| provider::export_after(tx, &caller, kind, after, &url);
            let read: Vec<Exported> = self.world.store().scan(read).await?;
            let Some(last) = read.last() else { return Ok(()) };
            after = Some(last.id);
            for one in &read {
                self.to.write_all(one.text.as_bytes())?;
                self.line_ends()?;
            }
        }
    }

    async fn groups(&mut self) -> anyhow::Result<()> {
        let mut after = None;
        loop {
            let caller = Arc::clone(&self.caller);
            let read = move |tx: &mut store::ReadTx<'_>| provider::group_ids_after(tx, &caller, after);
            let ids = self.world.store().scan(read).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = Some(*last);
            for id in ids {
                self.group(id).await?;
            }
        }
    }

    /// Writes one group in pieces. One that was deleted meanwhile is left out.
    async fn group(&mut self, id: ResourceId) -> anyhow::Result<()> {
        let (caller, url) = (Arc::clone(&self.caller), self.url.clone());
        let read = move |tx: &mut store::ReadTx<'_>| provider::export_group(tx, &caller, id, &url);
        let Some(group) = self.world.store().scan(read).await? else { return Ok(()) };
        for piece in *group {
            self.to.write_all(piece.as_bytes())?;
        }
        self.line_ends()
    }

    fn line_ends(&mut self) -> anyhow::Result<()> {
        self.to.write_all(b"\n")?;
        self.done += 1;
        self.bar.at(self.done, None, "");
        Ok(())
    }
}
