//! Outside text that tries to be more than text.

use base::Language;
use proptest::prelude::*;
use reports::snapshot::{Evidence, Location, Reference, Snapshot};
use reports::{Format, page};

use crate::forms::{text, typesetter};
use crate::sample;

const TYPST: &str = "#panic(\"owned\") $x^2$ *bold* _it_ @ref <label> = Head `raw` \\ // no";
const HTML: &str = "</pre></style><script>alert(1)</script><img src=x onerror=alert(1)> & {{ 7*7 }}";
const STEERING: &str = "nul\u{0}esc\u{1b}[31mred bidi\u{202e}txt.exe zwsp\u{200b} bom\u{feff} tag\u{e0041} pua\u{e000} nonchar\u{ffff}";
const SCRIPTS: &str = "العربية עברית 漢字 हिन्दी ไทย 한국어 Ωμέγα Жук ação 😀👩‍👩‍👧 é\u{301}\u{302}\u{303} ﷽ 𝕏";

fn poisoned(text: &str) -> Snapshot {
    let mut snapshot = sample::snapshot(2);
    let all = || text.to_owned();
    snapshot.title = all();
    snapshot.tenant = all();
    snapshot.people[0].name = all();
    snapshot.scope.targets[0].name = all();
    snapshot.scope.targets[0].address = Some(all());
    snapshot.scope.authorizations[0].granted_by = all();
    snapshot.scope.authorizations[0].covers = vec![all(), all()];
    snapshot.coverage[0].reason = Some(all());
    snapshot.coverage[0].stage = all();
    snapshot.not_tested[0].what = all();
    snapshot.tools[0].version = Some(all());
    snapshot.runs[0].name = all();
    let finding = &mut snapshot.findings[0];
    finding.title = all();
    finding.description = all();
    finding.remediation = Some(all());
    finding.cves = vec![all()];
    finding.sources = vec![all()];
    finding.locations =
        vec![Location { target: Some(all()), host: Some(all()), url: Some(all()), parameter: Some(all()), ..Location::default() }];
    finding.evidence = vec![Evidence { label: all(), body: all(), truncated: true }];
    finding.references = vec![
        Reference { title: Some(all()), url: format!("javascript:{text}") },
        Reference { title: None, url: format!("https://example.test/{text}") },
    ];
    snapshot
}

#[tokio::test]
async fn hostile_text_is_printed_letter_by_letter() {
    for hostile in [TYPST, HTML, STEERING, SCRIPTS] {
        let frozen = poisoned(hostile).freeze().unwrap();
        let pdf = typesetter().render(&frozen, Format::Pdf, Language::English).await;
        let printed: String = text(&pdf.unwrap()).split_whitespace().collect();
        for word in hostile.split_whitespace().filter(|word| word.is_ascii()) {
            let word: String = word.chars().filter(|c| !c.is_control()).collect();
            if !hostile.contains('\u{0}') {
                assert!(printed.contains(&word), "{word} is missing");
            }
        }
    }
    let frozen = poisoned(STEERING).freeze().unwrap();
    let pdf = typesetter().render(&frozen, Format::Pdf, Language::English).await.unwrap();
    let printed = text(&pdf);
    for escape in ["\\u{0}", "\\u{1b}", "\\u{202e}", "\\u{200b}", "\\u{feff}", "\\u{e0041}"] {
        assert!(printed.contains(escape), "{escape} is written out");
    }
    assert!(!printed.contains('\u{202e}') && !printed.contains('\u{1b}'));
}

#[test]
fn hostile_text_stays_text_on_the_page() {
    let html = page(&poisoned(HTML).freeze().unwrap(), Language::English).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"));
    assert!(html.contains("{{ 7*7 }}"));
    assert_eq!(html.matches("</style>").count(), 1);
    let html = page(&poisoned("javascript:alert(1)").freeze().unwrap(), Language::English).unwrap();
    assert!(!html.contains("href=\"javascript"));
    let html = page(&poisoned(STEERING).freeze().unwrap(), Language::English).unwrap();
    assert!(!html.contains(['\u{0}', '\u{1b}', '\u{202e}', '\u{feff}']));
}

#[tokio::test]
async fn a_line_of_a_megabyte_is_folded_cut_and_owned_up_to() {
    let frozen = poisoned(&"A".repeat(1 << 20)).freeze().unwrap();
    let pdf = typesetter().render(&frozen, Format::Pdf, Language::English).await.unwrap();
    assert!(pdf.len() < 2 << 20, "{} bytes", pdf.len());
    let printed = text(&pdf);
    assert!(printed.contains("of 1,048,576 characters"), "the cut is stated");
    let html = page(&frozen, Language::English).unwrap();
    assert!(html.len() < 1 << 20);
    assert!(frozen.json().len() > 15 << 20, "the snapshot keeps everything");
}

#[tokio::test]
async fn every_character_said_to_be_printable_is_drawn() {
    let printable: Vec<char> = ('\u{21}'..=char::MAX).filter(|character| typeset::covers(*character)).collect();
    assert!(printable.len() > 4_000);
    let mut snapshot = sample::snapshot(2);
    let template = snapshot.findings.swap_remove(0);
    snapshot.findings = printable
        .chunks(1_000)
        .map(|characters| {
            let text: String = characters.iter().flat_map(|character| [*character, ' ']).collect();
            let mut finding = template.clone();
            finding.title = characters.iter().take(100).collect();
            finding.description.clone_from(&text);
            finding.evidence[0].body = text;
            finding
        })
        .collect();
    let frozen = snapshot.freeze().unwrap();
    typesetter().render(&frozen, Format::Pdf, Language::English).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4) })]

    #[test]
    fn any_text_can_be_set_as_a_conforming_pdf(text in any::<String>(), wide in "\\PC{0,300}") {
        let frozen = poisoned(&format!("{text}{wide}")).freeze().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let render = runtime.block_on(typesetter().render(&frozen, Format::Pdf, Language::Spanish));
        prop_assert!(render.is_ok(), "{}", render.unwrap_err());
    }
}
