//! Reads the log out in the order verification wants it, page by page.

use backends::Backends;
use base::{Result, TenantId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::store::{record, unsequenced};
use crate::tree_store::{self as tree, StoredCheckpoint};
use crate::verify::{FORMAT, Line};
use crate::{errors, sequence};

const PAGE: u64 = 500;
/// Entries without a leaf that are listed; there are none unless sequencing stopped.
const WAITING: u32 = 1000;

enum Step {
    Head,
    Leaves { from: u64 },
    Tail,
    Done,
}

/// An export under way. With a tenant, other tenants' leaves come without their entries.
pub struct Export {
    backends: Backends,
    tenant: Option<TenantId>,
    /// Leaves as of the beginning; what comes later is in the next export.
    size: u64,
    /// Size of the newest checkpoint as of the beginning; larger than `size` only when leaves were cut off.
    signed: u64,
    step: Step,
}

impl Export {
    /// Gives waiting entries their place first, so that the export is complete.
    pub(crate) async fn begin(backends: &Backends, tenant: Option<TenantId>) -> Result<Self> {
        if let Err(cause) = sequence::all(backends).await {
            // A log that refuses to be signed is exactly the one somebody wants to export and look at.
            tracing::warn!(%cause, "exporting without the entries that still wait");
        }
        Ok(Self { backends: backends.clone(), tenant, size: 0, signed: 0, step: Step::Head })
    }

    /// The next lines; `None` at the end.
    ///
    /// # Errors
    /// The database's.
    pub async fn next(&mut self) -> Result<Option<Vec<Line>>> {
        match self.step {
            Step::Head => self.head().await.map(Some),
            Step::Leaves { from } => self.leaves(from).await.map(Some),
            Step::Tail => self.tail().await.map(Some),
            Step::Done => Ok(None),
        }
    }

    async fn head(&mut self) -> Result<Vec<Line>> {
        self.signed = tree::latest(&self.backends.db).await?.map_or(0, |checkpoint| checkpoint.size);
        let edge = tree::edge_now(&self.backends.db).await?;
        let origin = edge.as_ref().map_or_else(String::new, |edge| edge.origin.clone());
        self.size = edge.map_or(0, |edge| edge.frontier.size());
        self.step = if self.size.max(self.signed) == 0 { Step::Tail } else { Step::Leaves { from: 0 } };
        let keys = tree::keys(&self.backends.db).await?;
        Ok(vec![Line::Log { format: FORMAT, origin, tenant: self.tenant, exported_at: self.backends.clock.now(), keys }])
    }

    async fn leaves(&mut self, from: u64) -> Result<Vec<Line>> {
        let to = (from + PAGE).min(self.size);
        self.step = if to == self.size { Step::Tail } else { Step::Leaves { from: to } };
        let rows = tree::leaves_with_entries(&self.backends.db, from, to).await?;
        let until = if to == self.size { self.size.max(self.signed) } else { to };
        let mut checkpoints = tree::checkpoints(&self.backends.db, from, until).await?.into_iter().peekable();
        let mut lines = Vec::with_capacity(rows.len());
        for row in &rows {
            let index: u64 = row.get("leaf_index")?;
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.size <= index) {
                lines.push(line(checkpoint));
            }
            let tenant: Option<TenantId> = row.get("tenant_id")?;
            let shown = tenant.is_some() && self.tenant.is_none_or(|only| tenant == Some(only));
            let salt = if shown { row.get::<Option<Vec<u8>>>("salt")?.map(|salt| STANDARD.encode(salt)) } else { None };
            let record = if shown { Some(record(row)?) } else { None };
            lines.push(Line::Leaf { index, leaf: STANDARD.encode(row.get::<Vec<u8>>("leaf")?), salt, record });
        }
        lines.extend(checkpoints.map(line));
        Ok(lines)
    }

    async fn tail(&mut self) -> Result<Vec<Line>> {
        self.step = Step::Done;
        let waiting = unsequenced(&self.backends.db, self.tenant, WAITING).await?;
        let mut lines: Vec<Line> = waiting.into_iter().map(|record| Line::Waiting { record }).collect();
        lines.push(Line::End { size: self.size });
        Ok(lines)
    }
}

fn line(checkpoint: StoredCheckpoint) -> Line {
    Line::Checkpoint { note: checkpoint.note }
}

/// One line of the file.
pub(crate) fn text(line: &Line) -> Result<String> {
    serde_json::to_string(line).map(|text| text + "\n").map_err(|_| errors::inconsistent("a line cannot be written"))
}
