//! Nikto CSV: no header but a first row that names the program; host, address, port, references
//! (an OSVDB number in older versions), method, path, message.

use std::io::Read;

use super::{EXPECTED, Item, Site, tell};
use crate::csv::Table;
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::model::CoverageStatus;
use crate::output::Output;

const COLUMNS: usize = 7;

pub(super) fn read(source: &mut dyn Read, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    table.header(|names| names.first().is_some_and(|name| name.starts_with("nikto - v")), EXPECTED)?;
    while let Some(position) = table.next(out)? {
        let cell = |index| table.cell(index);
        let site = Site { host: Host::new([cell(1), cell(0)]), port: cell(2).and_then(|port| port.parse().ok()), ..Site::default() };
        if cell(0).is_some_and(|first| first.starts_with("Nikto - v")) {
            continue;
        }
        if site.host.is_unknown() {
            out.skip(position, "row of no host")?;
            continue;
        }
        site.introduce(seen, CoverageStatus::Done, None, out)?;
        // The row that opens a host has its banner and nothing else.
        let Some(message) = cell(6).filter(|_| table.width() >= COLUMNS) else {
            continue;
        };
        let column = cell(3).unwrap_or_default();
        let osvdb = column.starts_with("OSVDB-").then_some(column);
        let (method, path) = (cell(4), cell(5));
        if method.is_none() && path.is_none() {
            continue;
        }
        let item = Item { id: None, osvdb, method, path, link: None, message, references: Some(column).filter(|_| osvdb.is_none()) };
        let link = format!("{}:{}{}", cell(1).unwrap_or_default(), cell(2).unwrap_or_default(), path.unwrap_or_default());
        tell(&item, &site, &[&link, message, method.unwrap_or_default()], out)?;
    }
    Ok(())
}
