//! From a checked expression to queries of the embedded engine. Nothing is scored.

use std::ops::Bound;

use query::{Expression, Leaf, Test, end_of_prefix};
use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, InvertedIndexRangeQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::layout::Layout;
use super::negation::Excluded;

type Clause = (Occur, Box<dyn Query>);

impl Layout {
    /// The tenant's documents that the expression means.
    pub(super) fn query(&self, tenant: &str, expression: &Expression) -> tantivy::Result<Box<dyn Query>> {
        let mut clauses = vec![must(exactly(self.tenant, tenant))];
        self.conjunction(std::slice::from_ref(expression), &mut clauses);
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    fn compiled(&self, expression: &Expression) -> Box<dyn Query> {
        match expression {
            Expression::And(parts) => {
                let mut clauses = Vec::new();
                self.conjunction(parts, &mut clauses);
                if !clauses.iter().any(|(occur, _)| *occur == Occur::Must) {
                    // Without something to take away from, a negation finds nothing.
                    clauses.push(must(Box::new(AllQuery)));
                }
                Box::new(BooleanQuery::new(clauses))
            }
            Expression::Or(parts) if parts.is_empty() => Box::new(EmptyQuery),
            Expression::Or(parts) => Box::new(BooleanQuery::union(parts.iter().map(|part| self.compiled(part)).collect())),
            Expression::Not(part) => Box::new(BooleanQuery::new(vec![must(Box::new(AllQuery)), self.without(part)])),
            Expression::Leaf(leaf) => self.leaf(leaf),
        }
    }

    /// Clauses that together mean all of `parts`; never a lone negation when the caller has a clause already.
    fn conjunction(&self, parts: &[Expression], clauses: &mut Vec<Clause>) {
        for part in parts {
            match part {
                Expression::And(inner) => self.conjunction(inner, clauses),
                Expression::Not(inner) => clauses.push(self.without(inner)),
                other => clauses.push(must(self.compiled(other))),
            }
        }
    }

    fn without(&self, part: &Expression) -> Clause {
        (Occur::MustNot, Box::new(Excluded(self.compiled(part))))
    }

    fn leaf(&self, leaf: &Leaf) -> Box<dyn Query> {
        let place = leaf.field.map_or(self.words, |field| self.field(field.name));
        match &leaf.test {
            Test::Present => exactly(self.present, leaf.field.map_or("", |field| field.name)),
            Test::Phrase(words) => match words.as_slice() {
                [word] => exactly(place, word),
                words => Box::new(PhraseQuery::new(words.iter().map(|word| Term::from_field_text(place, word)).collect())),
            },
            Test::Term(term) => exactly(place, term),
            Test::WordPrefix(prefix) | Test::TermPrefix(prefix) => {
                let end = end_of_prefix(prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(Term::from_field_text(place, &end)));
                Box::new(InvertedIndexRangeQuery::new(Bound::Included(Term::from_field_text(place, prefix)), end))
            }
            Test::Integers(Some(low), Some(high)) if low == high => {
                Box::new(TermQuery::new(Term::from_field_i64(place, *low), IndexRecordOption::Basic))
            }
            Test::Integers(low, high) => {
                let bound = |end: Option<i64>| end.map_or(Bound::Unbounded, |end| Bound::Included(Term::from_field_i64(place, end)));
                Box::new(RangeQuery::new(bound(*low), bound(*high)))
            }
            Test::Numbers(low, high) => {
                let bound = |end: Bound<f64>| end.map(|end| Term::from_field_f64(place, end));
                Box::new(RangeQuery::new(bound(*low), bound(*high)))
            }
        }
    }
}

fn must(query: Box<dyn Query>) -> Clause {
    (Occur::Must, query)
}

fn exactly(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}
