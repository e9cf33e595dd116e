//! Pictures of numbers, drawn by the server. Every chart stands beside its table: the picture never carries the numbers alone.

use scans::BySeverity;

/// One piece of a ring.
pub(crate) struct Piece {
    pub(crate) word: &'static str,
    /// Length along the circumference, in hundredths of it.
    pub(crate) length: f64,
    /// Where it begins, against the clock.
    pub(crate) offset: f64,
}

/// The open findings as a ring of severities, gravest first.
pub(crate) fn ring(counts: &BySeverity) -> Vec<Piece> {
    let total: u64 = counts.named().iter().map(|(_, count)| count).sum();
    let mut from = 0.0;
    let mut pieces = Vec::new();
    for (word, count) in counts.named().into_iter().filter(|(_, count)| *count > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a picture needs three digits")]
        let length = count as f64 * 100.0 / total as f64;
        // A ring of 100 units whose strokes begin at twelve o'clock.
        pieces.push(Piece { word, length, offset: 25.0 - from });
        from += length;
    }
    pieces
}

/// How many findings these are.
pub(crate) fn total(counts: &BySeverity) -> u64 {
    counts.named().iter().map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_ring_make_a_whole() {
        let counts = BySeverity { critical: 1, high: 2, low: 5, ..BySeverity::default() };
        let pieces = ring(&counts);
        assert_eq!(pieces.iter().map(|piece| piece.word).collect::<Vec<_>>(), ["critical", "high", "low"]);
        assert!((pieces.iter().map(|piece| piece.length).sum::<f64>() - 100.0).abs() < 1e-9);
        assert!(ring(&BySeverity::default()).is_empty());
    }
}
