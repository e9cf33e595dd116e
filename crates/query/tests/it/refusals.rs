//! What is refused, with its place; and that nothing else happens.

use proptest::prelude::*;
use query::{Fault, MAXIMUM_CLAUSES, MAXIMUM_DEPTH, MAXIMUM_LENGTH};

use crate::{finding, read};

#[test]
fn a_refusal_says_what_and_where() {
    let cases = [
        ("severty:high", 1, "did you mean `severity`?"),
        ("weak AND seen:3", 10, "`first_seen`, `times_seen`"),
        ("http://x", 1, "no field `http`"),
        ("severity:grave", 10, "one of info, low, medium, high, critical"),
        ("cvss_score:high", 12, "a number"),
        ("first_seen:>yesterday", 13, "a time"),
        ("times_seen:1.5", 12, "a whole number"),
        ("exploited:maybe", 11, "true or false"),
        ("title:[a TO b]", 7, "no order"),
        ("cve:>x", 6, "no order"),
        ("(weak", 6, "expected `)`, found the end"),
        ("weak)", 5, "found `)`"),
        ("\"weak", 6, "closing"),
        ("weak AND", 9, "found the end"),
        ("OR weak", 1, "found `OR`"),
        ("title: weak", 7, "right after `:`"),
        ("title:", 7, "right after `:`"),
        ("severity:[low high]", 15, "`TO`"),
        ("severity:[low TO high", 22, "`]` or `}`"),
        ("[1 TO 2]", 1, "a field before"),
        ("we*k", 3, "may only end one word"),
        ("cvss_score:7*", 12, "may only end one word"),
        ("\"weak\"*", 7, "may only end one word"),
        ("title:---", 7, "no letter or digit"),
        ("ünï \u{1F600}", 5, "no letter or digit"),
    ];
    for (text, position, part) in cases {
        let error = read(text).expect_err(text);
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn length_depth_and_conditions_are_limited() {
    let deep = |depth: usize| format!("{}weak{}", "(".repeat(depth), ")".repeat(depth));
    assert!(read(&deep(MAXIMUM_DEPTH)).is_ok());
    assert_eq!(read(&deep(MAXIMUM_DEPTH + 1)).unwrap_err().fault, Fault::TooDeep(MAXIMUM_DEPTH));
    assert_eq!(read(&"NOT ".repeat(1000)).unwrap_err().fault, Fault::TooDeep(MAXIMUM_DEPTH));
    assert_eq!(read(&"-(".repeat(2000)).unwrap_err().fault, Fault::TooDeep(MAXIMUM_DEPTH));
    assert!(read(&"a ".repeat(MAXIMUM_CLAUSES)).is_ok());
    assert_eq!(read(&"a ".repeat(MAXIMUM_CLAUSES + 1)).unwrap_err().fault, Fault::TooMany(MAXIMUM_CLAUSES));
    assert_eq!(read(&"a".repeat(MAXIMUM_LENGTH + 1)).unwrap_err().fault, Fault::TooLong(MAXIMUM_LENGTH));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_inside_it(text in r#"([a-z]{1,3}|severity|:|>=|<|\(|\)|\[|\]|"|\*| |-|\\|TO|AND|OR|NOT|7|\PC){0,24}"#) {
        match read(&text) {
            Ok(expression) => {
                let _ = expression.matches(&finding());
            }
            Err(error) => prop_assert!(error.position <= text.chars().count() + 1, "{error}"),
        }
    }
}
