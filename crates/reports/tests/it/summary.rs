//! The sentences that are computed.

use base::Language;
use reports::page;
use reports::snapshot::{Outcome, Severity, Status};

use crate::sample;

fn paragraphs(html: &str) -> String {
    let main = html.split("<main").nth(1).unwrap();
    main.split("<p>").skip(1).map(|part| part.split("</p>").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_summary_counts_what_is_there() {
    let mut snapshot = sample::snapshot(4);
    for (finding, severity) in snapshot.findings.iter_mut().zip([Severity::Critical, Severity::High, Severity::High, Severity::Low]) {
        finding.severity = severity;
        finding.status = Status::Open;
        finding.known_exploited = Some(severity == Severity::Critical);
    }
    snapshot.findings[3].status = Status::Fixed;
    let english = page(&snapshot.clone().freeze().unwrap(), Language::English).unwrap();
    let text = paragraphs(&english);
    assert!(text.contains("leave 3 findings open: 1 critical and 2 high."), "{text}");
    assert!(text.contains("Of 4 findings on record: 1 fixed."), "{text}");
    assert!(text.contains("Known to be exploited in the wild: 1 finding."), "{text}");
    assert!(text.contains("Ran to the end: 21 of 24 test steps."), "{text}");
    assert!(text.contains("Not tested at all: 2 parts of the scope."), "{text}");
    let portuguese = page(&snapshot.freeze().unwrap(), Language::Portuguese).unwrap();
    let text = paragraphs(&portuguese);
    assert!(text.contains("deixam 3 achados em aberto: 1 crítico e 2 altos."), "{text}");
}

#[test]
fn nothing_found_is_never_sold_as_nothing_there() {
    let mut snapshot = sample::snapshot(0);
    snapshot.coverage.retain(|step| step.outcome == Outcome::Timeout);
    let text = paragraphs(&page(&snapshot.freeze().unwrap(), Language::English).unwrap());
    assert!(text.contains("The tests leave no finding open."), "{text}");
    assert!(text.contains("Ran to the end: 0 of 1 test step."), "{text}");
    assert!(text.contains("the absence of a finding proves nothing"), "{text}");
}
