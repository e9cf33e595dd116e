//! Vectors as they are met outside: prefixes, parentheses, case, order; and what is refused, by name.

use proptest::prelude::*;
use risk::cvss::{Severity, Vector, VectorError, Version};

#[test]
fn version_2_is_known_by_its_many_prefixes() {
    let plain = Vector::parse("AV:N/AC:L/Au:N/C:P/I:P/A:P").unwrap();
    assert_eq!((plain.version(), plain.base().to_string().as_str(), plain.severity()), (Version::V2, "7.5", Severity::High));
    for text in [
        "(AV:N/AC:L/Au:N/C:P/I:P/A:P)",
        "CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P",
        " av:n/ac:l/au:n/c:p/i:p/a:p\r\n",
        "A:P/I:P/C:P/Au:N/AC:L/AV:N",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P/E:ND/RL:ND/CDP:ND",
    ] {
        assert_eq!(Vector::parse(text).unwrap(), plain, "{text}");
    }
    assert_eq!(plain.to_string(), "AV:N/AC:L/Au:N/C:P/I:P/A:P");
}

#[test]
fn version_2_has_neither_none_nor_critical() {
    assert_eq!(Vector::parse("AV:N/AC:L/Au:N/C:C/I:C/A:C").unwrap().severity(), Severity::High);
    assert_eq!(Vector::parse("AV:N/AC:L/Au:N/C:N/I:N/A:N").unwrap().severity(), Severity::Low);
}

#[test]
fn a_canonical_text_has_the_order_of_the_specification_and_no_undefined_metric() {
    let vector = Vector::parse("cvss:4.0/U:amber/AV:n/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:X/MSI:S/CR:M").unwrap();
    assert_eq!(vector.to_string(), "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/CR:M/MSI:S/U:Amber");
    assert_eq!(vector.nomenclature(), Some("CVSS-BE"));
}

#[test]
fn the_threat_metric_lowers_the_score_and_leaves_the_base_alone() {
    let vector = Vector::parse("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:U").unwrap();
    assert_eq!((vector.base().tenths(), vector.temporal().map(risk::cvss::Score::tenths), vector.score().tenths()), (100, Some(91), 91));
    assert_eq!((vector.environmental(), vector.nomenclature()), (None, Some("CVSS-BT")));
}

#[test]
fn what_is_wrong_is_named() {
    use VectorError::{Duplicate, Empty, Malformed, Missing, NoPrefix, TooLong, UnknownMetric, UnknownValue, UnknownVersion};
    let base = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H";
    let cases = [
        (String::new(), Empty),
        ("()".into(), Empty),
        ("x".repeat(600), TooLong { limit: 512 }),
        (base.into(), Missing { metric: "A" }),
        ("AV:N/AC:L/C:P/I:P/A:P".into(), Missing { metric: "Au" }),
        (format!("{base}/A:H/AV:L"), Duplicate { metric: "AV" }),
        (format!("{base}/A:X"), UnknownValue { version: Version::V31, metric: "A", value: "X".into() }),
        (format!("{base}/A:H/VC:H"), UnknownMetric { version: Version::V31, metric: "VC".into() }),
        (format!("{base}/A:H/"), Malformed { component: String::new(), after: "A".into() }),
        (format!("{base}/A:H:H"), Malformed { component: "A:H:H".into(), after: "I".into() }),
        ("CVSS:3.1".into(), Malformed { component: String::new(), after: "the start".into() }),
        ("CVSS:3.2/AV:N".into(), UnknownVersion { version: "3.2".into() }),
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(), NoPrefix { metric: "PR".into() }),
        ("CVSS:2.0/AV:N/PR:N".into(), UnknownMetric { version: Version::V2, metric: "PR".into() }),
        ("9.8".into(), Malformed { component: "9.8".into(), after: "the start".into() }),
    ];
    for (text, error) in cases {
        assert_eq!(Vector::parse(&text).unwrap_err(), error, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}", ending in "[A-Za-z:/().]{0,60}") {
        let _ = Vector::parse(&text);
        let _ = Vector::parse(&format!("CVSS:4.0/AV:N/{ending}"));
        let _ = Vector::parse(&format!("CVSS{text}"));
    }
}
