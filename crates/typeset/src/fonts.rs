//! The embedded fonts: Open Sans for text, DejaVu Sans Mono for evidence, DejaVu Sans for the rest.
//!
//! Invariant: these bytes are the only fonts there are, so a report looks the same on every machine.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

static FILES: [&[u8]; 7] = [
    include_bytes!("../fonts/OpenSans-Regular.ttf"),
    include_bytes!("../fonts/OpenSans-Italic.ttf"),
    include_bytes!("../fonts/OpenSans-Semibold.ttf"),
    include_bytes!("../fonts/OpenSans-Bold.ttf"),
    include_bytes!("../fonts/DejaVuSansMono.ttf"),
    include_bytes!("../fonts/DejaVuSansMono-Bold.ttf"),
    include_bytes!("../fonts/DejaVuSans.ttf"),
];

/// The fonts and their catalogue, in the same order.
pub(crate) struct Fonts {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) faces: Vec<Font>,
}

pub(crate) static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let faces: Vec<Font> = FILES.iter().flat_map(|file| Font::iter(Bytes::new(*file))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&faces)), faces }
});

/// Whether an embedded font can draw `character`: one that it cannot would break PDF/A conformance.
pub fn covers(character: char) -> bool {
    let fonts = &*FONTS;
    fonts.faces.iter().any(|face| face.info().coverage.contains(u32::from(character)))
}
