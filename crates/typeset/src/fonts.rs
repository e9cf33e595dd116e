//! The embedded fonts: Open Sans for text, DejaVu Sans Mono for evidence, DejaVu Sans for the rest.
//!
//! Invariant: these bytes are the only fonts there are, so a report looks the same on every machine.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::layout::Abs;
use typst::text::{Font, FontBook, FontInstance, FontVariant, FontVariations};
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

/// The fonts and their catalogue, in the same order; the last is what every style falls back to.
pub(crate) struct Fonts {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) faces: Vec<Font>,
}

pub(crate) static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let faces: Vec<Font> = FILES.iter().flat_map(|file| Font::iter(Bytes::new(*file))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&faces)), faces }
});

/// The fonts with their character maps open, in the same order.
static MAPS: LazyLock<Vec<FontInstance>> = LazyLock::new(|| {
    let open = |face: &Font| face.clone().instantiate(FontVariant::default(), Abs::pt(10.0), &FontVariations::default());
    FONTS.faces.iter().map(open).collect()
});

/// Whether `character` can be drawn in every style: one that cannot would break PDF/A conformance.
pub fn covers(character: char) -> bool {
    // The character map is asked, not the catalogue: a map may name a character it has no glyph for.
    let draws = |face: &FontInstance| face.ttf().glyph_index(character).is_some_and(|glyph| glyph.0 != 0);
    match MAPS.split_last() {
        Some((fallback, styles)) => draws(fallback) || styles.iter().all(draws),
        None => false,
    }
}
