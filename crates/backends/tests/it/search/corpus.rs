//! Documents that try what engines read differently, and the plain answer to a question about them.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use query::{Document, Expression, Key, Sort};

use super::{NOW, RANKS, THINGS};

/// Words in every disguise: case, accents, compatibility forms, scripts, lengths, and what is no word at all.
const WORDS: &[&str] = &[
    "weak",
    "WEAK",
    "Wéak",
    "cipher",
    "ciphers",
    "tls",
    "TLS1.2",
    "Straße",
    "strasse",
    "İstanbul",
    "ΟΔΟΣ",
    "οδος",
    "ﬁx",
    "fix",
    "ＡＢ",
    "ab",
    "CVE-2024-1",
    "CVE-2024-10",
    "foo_bar",
    "a.b",
    "x",
    "中文",
    "中文字",
    "日本語",
    "1",
    "10",
    "０１",
    "naïve",
    "…",
    "‖",
    "\u{1F600}",
    "AND",
    "or",
    "the",
    "not",
    "e\u{301}te",
    "été",
    "ünïcödé",
    "c++",
    "/etc/passwd",
];

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        1 => Just("y".repeat(130)),
        1 => "\\PC{1,6}",
    ];
    let gap = proptest::sample::select(&[" ", ", ", "-", "\n", "\t", "\u{a0}", " \u{2016} "][..]);
    prop::collection::vec((word, gap), 0..9).prop_map(|parts| parts.into_iter().map(|(word, gap)| format!("{word}{gap}")).collect())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-20_i32..120).prop_map(|tenths| f64::from(tenths) / 10.0),
        1 => proptest::sample::select(&[0.0, -0.0, 1e300, -1e300, f64::MIN_POSITIVE, f64::NAN, 0.1 + 0.2][..]),
    ]
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![6 => -3_i64..6, 1 => proptest::sample::select(&[i64::MIN, i64::MAX, 0, 1 << 53, (1 << 53) + 1][..])]
}

fn moment() -> impl Strategy<Value = i64> {
    (0_i64..800, 0_i64..3).prop_map(|(days, parts)| NOW - days * 86_400_000_000 - parts)
}

fn document(index: usize) -> impl Strategy<Value = Document> {
    let texts =
        (prop::option::of(text()), prop::collection::vec(text(), 0..3), prop::collection::vec(text(), 0..4), prop::option::of(text()));
    let values = (
        prop::option::of(proptest::sample::select(RANKS)),
        prop::collection::vec(integer(), 0..3),
        prop::collection::vec(number(), 0..3),
        prop::option::of(moment()),
        prop::option::of(any::<bool>()),
    );
    (texts, values, proptest::sample::select(&["a", "b"][..])).prop_map(move |((title, body, label, owner), values, tenant)| {
        let (severity, count, score, seen, open) = values;
        // Ids in another order than documents come.
        Document::new(&THINGS, tenant, format!("{:04}", index * 7919 % 10_000))
            .with_all("title", title)
            .with_all("body", body)
            .with_all("label", label)
            .with_all("owner", owner)
            .with_all("severity", severity)
            .with_all("count", count)
            .with_all("score", score)
            .with_all("seen", seen)
            .with_all("open", open)
    })
}

pub(super) fn generate(count: usize) -> Vec<Document> {
    let mut runner = TestRunner::default();
    (0..count).map(|index| document(index).new_tree(&mut runner).unwrap().current()).collect()
}

/// What the definition says: filter, sort by key and then by id.
pub(super) fn answer(corpus: &[Document], tenant: &str, expression: &Expression, sort: &str) -> Vec<(Option<Key>, String)> {
    let sort = Sort::parse(sort, &THINGS).unwrap();
    let meant = corpus.iter().filter(|document| document.tenant == tenant && expression.matches(document));
    let mut answer: Vec<_> = meant.map(|document| (sort.key(document), document.id.clone())).collect();
    answer.sort_by(|one, two| {
        let keys = if sort.descending { two.0.cmp(&one.0) } else { one.0.cmp(&two.0) };
        let ids = if sort.field.is_none() && sort.descending { two.1.cmp(&one.1) } else { one.1.cmp(&two.1) };
        keys.then(ids)
    });
    answer
}
