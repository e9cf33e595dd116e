//! Statements about some ports of a host.

use importers::{Extent, Location};

/// Whether a statement about this place is about the port of a finding too; `None` where the list of its ports was cut, or the finding
/// is of no port.
pub(super) fn tells_of(extent: &Extent, found: &Location) -> Option<bool> {
    match extent {
        Extent::Untold | Extent::Whole | Extent::Itself => Some(true),
        Extent::Ports(list) | Extent::Closed(list) => list.contains(found.port?),
    }
}
