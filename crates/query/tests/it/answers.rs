//! What a query means.

use query::{Key, Sort};

use crate::{FINDINGS, finding, read};

#[test]
fn a_query_means_what_it_says() {
    let finding = finding();
    let cases = [
        ("", true),
        ("*", true),
        ("weak cipher", true),
        ("weak AND cipher", true),
        ("\"weak cipher\"", false),
        ("\"tls cipher\"", true),
        ("title:(weak OR strong)", true),
        ("title:(strong OR rusty)", false),
        ("cve-2013-2566", true),
        ("cve:CVE-2013-2566", true),
        ("cve:cve-2013", false),
        ("cve:cve-2013*", true),
        ("cve:\"cve-2013*\"", false),
        ("ciph*", true),
        ("description:ciph*", false),
        ("\"rc4 clients\"", true),
        ("place:https://example.org:443/", true),
        ("place:\"https://example.org:443/\"", true),
        ("severity:high", true),
        ("severity:>=medium", true),
        ("severity>=medium", true),
        ("severity:>high", false),
        ("severity:[low TO high]", true),
        ("severity:[low TO high}", false),
        ("severity:(low OR high)", true),
        ("cvss_score:[7 TO *]", true),
        ("cvss_score:>=7.5", true),
        ("cvss_score:>7.5", false),
        ("cvss_score:7.5", true),
        ("cvss_score:{7.5 TO *]", false),
        ("times_seen:3", true),
        ("times_seen:>9223372036854775807", false),
        ("times_seen:[* TO *]", true),
        ("first_seen:2026-01-02", true),
        ("first_seen:>2026-01-02", false),
        ("first_seen:>=2026-01", true),
        ("first_seen:[2026-01-01 TO 2026-01-03}", true),
        ("first_seen:<2026-01-02T00:00:00Z", false),
        ("first_seen:<=2026-01-02T00:00:00Z", true),
        ("first_seen:>now-365d", true),
        ("exploited:yes", true),
        ("NOT exploited:true", false),
        ("-exploited:true", false),
        ("NOT NOT weak", true),
        ("strong OR weak cipher", true),
        ("strong OR NOT weak OR severity:low", false),
        ("(strong OR weak) severity:high -title:ssl", true),
        ("place:*", true),
        ("severity:* exploited:*", true),
        ("severity:=high", true),
        ("title:strong OR (severity:high AND NOT (cvss_score:<5 OR times_seen:>10))", true),
        ("WEAK Çîpher", true),
        ("and or not", false),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).unwrap().matches(&finding), expected, "{text}");
    }
}

#[test]
fn a_sort_names_a_sortable_field() {
    let key = |text: &str| Sort::parse(text, &FINDINGS).map(|sort| (sort.key(&finding()), sort.descending));
    assert_eq!(key("").unwrap(), (Some(Key::Integer(3)), true));
    assert_eq!(key("title").unwrap(), (Some(Key::Text("weak tls cipher suites".to_owned())), false));
    assert_eq!(key("-id").unwrap(), (None, true));
    let refused = key("place").unwrap_err().to_string();
    assert!(refused.contains("`place`") && refused.contains("first_seen"), "{refused}");
}
