//! How many documents match, and the first of them in an order. Nobody counts beyond a limit, so that beyond it only documents are looked
//! at that would come before the last of those found: the column of the order tells which, and the words, phrases and ranges of the
//! question are asked of no other. The answer is the one that looking at all would give.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use query::{Key, Sort};
use tantivy::columnar::{Column, StrColumn, TermOrdHit};
use tantivy::query::{EnableScoring, Query, Scorer};
use tantivy::{DocId, Searcher, SegmentReader, TERMINATED, i64_to_u64};

use super::super::{Position, names};

/// What is wanted of a question.
pub(super) struct Wanted<'a> {
    pub(super) sort: Sort,
    /// Only those after this one; it does not narrow what is counted.
    pub(super) after: Option<&'a Position>,
    pub(super) limit: usize,
    /// Where counting ends.
    pub(super) most: usize,
}

impl Wanted<'_> {
    /// How many match, exact below `most`, and the first of them.
    pub(super) fn of(&self, searcher: &Searcher, query: &dyn Query) -> tantivy::Result<(usize, Vec<Position>)> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        let (mut counted, mut found) = (0, Vec::new());
        for segment in searcher.segment_readers() {
            let order = Order::of(segment, self)?;
            let first = self.walk(segment, &order, weight.scorer(segment, 1.0)?.as_mut(), &mut counted);
            for doc in first {
                found.push(order.position(doc)?);
            }
        }
        found.sort_by(|one, other| self.compare(one, other));
        found.truncate(self.limit);
        Ok((counted.min(self.most), found))
    }

    /// The first of one segment, in no order.
    fn walk(&self, segment: &SegmentReader, order: &Order, matching: &mut dyn Scorer, counted: &mut usize) -> Vec<DocId> {
        let (alive, end) = (segment.alive_bitset(), segment.max_doc());
        let mut first: BinaryHeap<(Place, DocId)> = BinaryHeap::new();
        let mut doc = matching.doc();
        while doc != TERMINATED {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                *counted += 1;
                if order.is_before(doc, last(&first, self.limit)) {
                    first.push((order.place(doc), doc));
                    if first.len() > self.limit {
                        first.pop();
                    }
                }
            }
            let next = doc + 1;
            doc = if *counted < self.most {
                matching.advance()
            } else {
                let last = last(&first, self.limit);
                match (next..end).find(|doc| order.is_before(*doc, last)) {
                    Some(doc) if doc == next => matching.advance(),
                    Some(doc) => matching.seek(doc),
                    None => TERMINATED,
                }
            };
        }
        first.into_iter().map(|(_, doc)| doc).collect()
    }

    fn compare(&self, one: &Position, other: &Position) -> Ordering {
        let turned = |order: Ordering| if self.sort.descending { order.reverse() } else { order };
        match self.sort.field {
            Some(_) => turned(one.key.cmp(&other.key)).then_with(|| one.id.cmp(&other.id)),
            None => turned(one.id.cmp(&other.id)),
        }
    }
}

/// The last of the first, once there are enough of them.
fn last(first: &BinaryHeap<(Place, DocId)>, limit: usize) -> Option<Place> {
    first.peek().filter(|_| first.len() >= limit).map(|(place, _)| *place)
}

/// Where a document stands within a segment: by key, then by id; smaller is earlier.
type Place = (u64, u64);

/// The order of one segment.
struct Order {
    keys: Keys,
    ids: Option<StrColumn>,
    descending: bool,
    /// The first place that is wanted.
    least: Place,
}

/// What a segment is sorted by, as numbers in the same order.
enum Keys {
    Ids(Option<Column<u64>>),
    Integers(Column<i64>, Column<u64>),
    Texts(Option<StrColumn>, Option<Column<u64>>),
}

impl Order {
    fn of(segment: &SegmentReader, wanted: &Wanted<'_>) -> tantivy::Result<Self> {
        let fields = segment.fast_fields();
        let ids = fields.str(names::ID)?;
        let ords = |column: &Option<StrColumn>| column.as_ref().map(|column| column.ords().clone());
        let keys = match wanted.sort.field {
            None => Keys::Ids(ords(&ids)),
            Some(field) if wanted.sort.is_textual() => {
                let texts = fields.str(&names::order(field.name))?;
                let numbers = ords(&texts);
                Keys::Texts(texts, numbers)
            }
            Some(field) => {
                let integers = fields.i64(&names::order(field.name))?;
                Keys::Integers(integers.clone(), integers.to_u64_monotonic())
            }
        };
        let mut order = Self { keys, ids, descending: wanted.sort.descending, least: (0, 0) };
        if let Some(position) = wanted.after {
            order.least = order.least(position)?;
        }
        Ok(order)
    }

    /// Whether a document is wanted and stands before `last`, if there is one.
    fn is_before(&self, doc: DocId, last: Option<Place>) -> bool {
        let key = self.key(doc);
        let is_beyond = |place: Place, key: u64| key > place.0 || (key == place.0 && self.id(doc) >= place.1);
        is_beyond(self.least, key) && last.is_none_or(|last| !is_beyond(last, key))
    }

    fn place(&self, doc: DocId) -> Place {
        (self.key(doc), self.id(doc))
    }

    fn key(&self, doc: DocId) -> u64 {
        let numbers = match &self.keys {
            Keys::Integers(_, numbers) => Some(numbers),
            Keys::Ids(numbers) | Keys::Texts(_, numbers) => numbers.as_ref(),
        };
        self.turned(numbers.and_then(|numbers| numbers.first(doc)).unwrap_or(0))
    }

    fn id(&self, doc: DocId) -> u64 {
        match &self.keys {
            Keys::Ids(_) => 0,
            _ => self.ids.as_ref().and_then(|ids| ids.ords().first(doc)).unwrap_or(0),
        }
    }

    fn turned(&self, number: u64) -> u64 {
        if self.descending { !number } else { number }
    }

    /// The first place after a position, which need not be one of this segment's.
    fn least(&self, position: &Position) -> tantivy::Result<Place> {
        let id = ordinal(self.ids.as_ref(), &position.id)?;
        let after_id = match id {
            TermOrdHit::Exact(ordinal) => ordinal + 1,
            TermOrdHit::Next(ordinal) => ordinal,
        };
        let (key, ties) = match (&self.keys, &position.key) {
            (Keys::Integers(..), Some(Key::Integer(key))) => (TermOrdHit::Exact(i64_to_u64(*key)), after_id),
            (Keys::Texts(texts, _), Some(Key::Text(key))) => (ordinal(texts.as_ref(), key)?, after_id),
            // Of ids there are no two alike.
            _ => (id, u64::MAX),
        };
        Ok(match key {
            TermOrdHit::Exact(number) => (self.turned(number), ties),
            TermOrdHit::Next(number) if !self.descending => (number, 0),
            // Descending, what comes after is what is smaller than the next greater one.
            TermOrdHit::Next(number) => self.turned(number).checked_add(1).map_or((u64::MAX, u64::MAX), |place| (place, 0)),
        })
    }

    fn position(&self, doc: DocId) -> tantivy::Result<Position> {
        let key = match &self.keys {
            Keys::Ids(_) => None,
            Keys::Integers(integers, _) => integers.first(doc).map(Key::Integer),
            Keys::Texts(texts, _) => Some(Key::Text(text(texts.as_ref(), doc)?)),
        };
        Ok(Position { key, id: text(self.ids.as_ref(), doc)? })
    }
}

/// Where a text stands among those of a segment.
fn ordinal(column: Option<&StrColumn>, text: &str) -> tantivy::Result<TermOrdHit> {
    Ok(match column {
        Some(column) => column.dictionary().term_ord_or_next(text)?,
        None => TermOrdHit::Next(u64::MAX),
    })
}

fn text(column: Option<&StrColumn>, doc: DocId) -> tantivy::Result<String> {
    let mut text = String::new();
    if let Some(column) = column
        && let Some(ordinal) = column.ords().first(doc)
    {
        column.ord_to_str(ordinal, &mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use query::{Document, Expression, Field, Leaf, Schema, Test};
    use tantivy::indexer::NoMergePolicy;
    use tantivy::{Index, IndexWriter, Term};

    use super::super::layout::Layout;
    use super::*;

    static SCHEMA: Schema = Schema {
        name: "things",
        fields: &[
            Field::integer("weight", "a number").sortable(),
            Field::keyword("name", "a text").sortable(),
            Field::text("words", "words").free(),
        ],
        sort: "-weight",
    };

    /// Four segments, some of whose documents are gone.
    fn index() -> Index {
        let index = Index::create_in_ram(Layout::schema(&SCHEMA));
        let layout = Layout::of(&index, &SCHEMA);
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for number in 0_i64..400 {
            let words = if number % 3 == 0 { "change the setting" } else { "the setting did not change" };
            let document = Document::new(&SCHEMA, "ten", format!("id-{:03}", number * 37 % 400))
                .with("weight", number * 7919 % 23 - 11)
                .with("name", format!("name {}", number * 31 % 17))
                .with("words", words);
            writer.add_document(layout.document(&document)).unwrap();
            if number % 100 == 99 {
                writer.commit().unwrap();
            }
        }
        for number in (0..400).step_by(7) {
            writer.delete_term(Term::from_field_text(layout.id, &format!("id-{number:03}")));
        }
        writer.commit().unwrap();
        index
    }

    #[test]
    fn where_counting_ends_does_not_change_what_is_found() {
        let index = index();
        let layout = Layout::of(&index, &SCHEMA);
        let searcher = index.reader().unwrap().searcher();
        assert_eq!(searcher.segment_readers().len(), 4);
        let phrase = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Expression::Leaf(Leaf { field: None, test: Test::Phrase(words) })
        };
        let questions = [
            Expression::And(vec![]),
            phrase(&["change", "the", "setting"]),
            phrase(&["setting"]),
            Expression::Not(Box::new(phrase(&["the", "setting"]))),
            Expression::Or(vec![phrase(&["did", "not"]), phrase(&["change", "the"])]),
            Expression::And(vec![phrase(&["the"]), Expression::Not(Box::new(phrase(&["not", "change"])))]),
        ];
        let sorts = [None, Some(&SCHEMA.fields[0]), Some(&SCHEMA.fields[1])];
        let orders = sorts.into_iter().flat_map(|field| [false, true].map(|descending| Sort { field, descending }));
        for (question, sort) in questions.iter().flat_map(|question| orders.clone().map(move |sort| (question, sort))) {
            let query = layout.query("ten", question).unwrap();
            let asked = |after: Option<&Position>, limit, most| Wanted { sort, after, limit, most }.of(&searcher, query.as_ref()).unwrap();
            let (total, all) = asked(None, 1000, usize::MAX);
            assert_eq!(total, all.len());
            for most in [1, 50, usize::MAX] {
                let (mut paged, mut after) = (Vec::new(), None);
                loop {
                    let (counted, page) = asked(after.as_ref(), 9, most);
                    assert_eq!(counted, total.min(most));
                    let Some(end) = page.last() else { break };
                    after = Some(end.clone());
                    paged.extend(page);
                }
                assert_eq!(paged, all, "{question:?} {sort:?} counted up to {most}");
            }
            // Positions that no segment holds.
            for (at, position) in all.iter().enumerate() {
                let elsewhere = Position { key: position.key.clone(), id: format!("{}!", position.id) };
                let (_, rest) = asked(Some(&elsewhere), 1000, 1);
                let is_skipped = sort.field.is_some() || !sort.descending;
                assert_eq!(rest, all[at + usize::from(is_skipped)..], "{sort:?} after {elsewhere:?}");
            }
        }
    }
}
