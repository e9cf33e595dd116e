//! Holds the languages to the same keys, the pages to known keys, and the keys to some use.

use std::collections::BTreeSet;
use std::path::Path;

use base::fill;

use super::*;

/// Sections whose keys are made from words at run time; each is held to its words below.
const FROM_WORDS: &[(&str, &str)] = &[
    ("severity", "critical high medium low info"),
    ("status", "open not_retested accepted out_of_scope mitigated false_positive fixed"),
    ("kind", "web api host network mobile repository cloud"),
    ("criticality", "low medium high critical"),
    ("intrusiveness", "passive passive_about safe safe_about intrusive intrusive_about"),
    ("profile", "quick quick_about standard standard_about deep deep_about"),
    ("scan_state", "queued running importing completed failed cancelled"),
    ("activity", "finding_ports naming_services running_checks nmap sslscan"),
    ("stage_state", "pending running done skipped failed timed_out stopped"),
    ("standing", "active upcoming expired revoked"),
    (
        "decision",
        "false_positive false_positive_about accepted accepted_about out_of_scope out_of_scope_about mitigated mitigated_about \
         confirmed confirmed_about fixed fixed_about reopen reopen_about",
    ),
    ("happening", "new reopened moved fixed not_retested proposed decided rejected withdrawn expired"),
    ("place", "host ip port service url method parameter component file line logical"),
    ("coverage", "done partial skipped error timeout auth_lost"),
    ("sort", "severity risk due newest last_seen title"),
    ("language", "en pt-BR es"),
    ("overload", "queue_latency runtime throughput"),
    ("report_state", "queued ready failed"),
    ("role", "admin security_analyst red_team blue_team viewer"),
    ("user_state", "active invited locked"),
    ("days", "7 30 90 365"),
    ("cause", "checks assets sources"),
    ("cause_kind", "package package_about image image_about configuration configuration_about asset asset_about"),
    ("clue", "tool rule asset asset_kind severity path_class weakness confidence"),
    ("closing", "covered covered_about never never_about complete complete_about"),
    ("compared", "title place check vulnerability severity status seen description evidence"),
    ("decision_list", "waiting rules all"),
    ("decision_none", "waiting waiting_about rules rules_about all all_about"),
    ("decision_state", "proposed in_force rejected withdrawn expired"),
    (
        "difference",
        "doubtful doubtful_about created created_about reopened reopened_about moved moved_about closed closed_about \
         not_retested not_retested_about unchanged",
    ),
    ("due_ground", "severity criticality kev"),
    ("due_standing", "within due_soon breached"),
    ("edge", "same_place names same_network same_label"),
    ("export", "sarif csv json vex"),
    ("fault_place", "byte line record"),
    ("feed", "epss epss_about kev kev_about"),
    ("feed_hint", "epss kev"),
    ("field_kind", "text keyword integer number time flag rank"),
    ("freshness", "never fresh old"),
    ("grammar", "word phrase field beginning any range boolean group"),
    ("import_state", "queued done failed undone"),
    ("index", "vulnerabilities scan_results audit_logs system_metrics assets"),
    ("listing", "no_vulnerability never_checked not_listed listed"),
    ("pattern", "recurring recurring_about burst burst_about"),
    ("period", "30 90 180 365"),
    ("scope", "finding rule_on_asset rule"),
    (
        "sentence",
        "reachable same_place same_network same_label named exploited likely remote sure secret_class secret_tool secret_word login \
         rebuild replace upgrade_all",
    ),
    ("sla_column", "days on_high on_critical"),
    ("step_role", "entry credential login exploit"),
    ("posture", "observe observe_about step_up step_up_about restrict restrict_about lock lock_about quarantine quarantine_about"),
    ("platform", "android_key app_attest play_integrity none"),
    ("ownership", "corporate corporate_about byod byod_about"),
    ("plan", "free professional high_security"),
    ("attested", "never passed outdated failed"),
    ("level", "none basic device trusted_environment strong"),
    ("check_outcome", "passed failed not_made"),
    (
        "lock_cause",
        "replayed_readings refresh_reuse attestation_replay repeated_failures indicator critical_indicator attestation_failed \
         attestation_stale challenge_failed operator",
    ),
    ("withheld", "shadow allow_list blast_radius degraded"),
    ("reach", "application device"),
    ("command", "CRITICAL_LOCK IMMEDIATE_QUARANTINE force_overlay RELEASE"),
    ("outcome", "done refused failed"),
    ("motion", "still handheld walking"),
    ("suspicion", "replayed frozen_accelerometer frozen_gyroscope decoupled synthetic poisoned abrupt_drift gradual_drift"),
    ("part", "accelerometer_score gyro_score touch_entropy network_spike"),
    (
        "device_moment",
        "enrolled attested attestation_failed attestation_outdated posture locked lock_confirmed lock_reinforced lock_withheld released \
         tokens_revoked command acknowledged",
    ),
    ("order_heading", "lock keep unlock message edit"),
    ("order_lead", "lock keep unlock message edit"),
    ("order_do", "lock keep unlock message edit"),
    ("hours", "1 4 8 24 168 720"),
    ("code_state", "unused used expired"),
    ("switch_scope", "device device_about tenant tenant_about global global_about"),
    ("switch_state", "asked thrown taken_back over"),
    ("stream_status", "enabled paused disabled"),
    ("stream_method", "push push_about poll poll_about"),
    ("security_event", "session_revoked device_compliance_change risk_level_change verification stream_updated"),
    ("step", "target target_about authorize authorize_about scan scan_about decide decide_about report report_about"),
];

fn keys(language: Language) -> BTreeSet<&'static str> {
    texts(language).keys().map(String::as_str).collect()
}

fn sources() -> String {
    let console = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["templates", "src"].map(|folder| testkit::sources(console.join(folder), "catalogue_tests.rs")).concat()
}

/// First arguments of `call("…"`.
fn named(text: &str, call: &str) -> BTreeSet<String> {
    let opening = format!("{call}(\"");
    text.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).filter(|key| key.contains('.')).map(str::to_owned).collect()
}

#[test]
fn every_language_has_the_same_keys_and_no_empty_text() {
    let english = keys(Language::English);
    assert!(english.len() > 400);
    for language in Language::ALL {
        let own = keys(language);
        assert_eq!(own, english, "{}", language.as_str());
        for key in own {
            let text = language.say(key);
            assert!(!text.trim().is_empty(), "{key}");
            let holes = |text: &str| text.matches('{').count();
            assert_eq!(holes(text), holes(Language::English.say(key)), "{key} in {}", language.as_str());
        }
    }
}

#[test]
fn pages_use_only_known_keys_and_every_key_is_used() {
    let known = keys(Language::English);
    let text = sources();
    let mut used: BTreeSet<String> = &named(&text, "say") | &named(&text, "fill");
    for key in named(&text, "count") {
        used.insert(format!("{key}.one"));
        used.insert(format!("{key}.other"));
    }
    for (section, words) in FROM_WORDS {
        used.extend(words.split_whitespace().map(|word| format!("{section}.{word}")));
    }
    used.extend(base::Permission::ALL.iter().map(|permission| format!("permission.{}", permission.as_str().replace(':', "_"))));
    used.extend(risk::MESSAGE_KEYS.iter().map(|key| format!("risk.{key}")));
    used.extend(importers::PARSE_FAULTS.iter().map(|word| format!("parse_fault.{word}")));
    used.extend(importers::MAPPING_FAULTS.iter().map(|word| format!("mapping_fault.{word}")));
    for kind in ["not_found", "forbidden", "refused", "too_many", "unavailable", "internal"] {
        used.extend(["title", "message", "advice"].map(|part| format!("failure.{kind}.{part}")));
    }
    // Held to the fields of the indices below.
    used.extend(known.iter().filter(|key| key.starts_with("meaning.")).map(|key| (*key).to_owned()));
    let missing: Vec<_> = used.iter().filter(|key| !known.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "no text for {missing:?}");
    let by_name = |key: &str| {
        key.strip_prefix("done.").is_some_and(|what| text.contains(&format!("\"{what}\"")) || text.contains(&format!("?done={what}")))
    };
    let unused: Vec<_> = known.iter().filter(|key| !used.contains(**key) && !key.starts_with("error.") && !by_name(key)).collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
}

#[test]
fn every_field_that_can_be_searched_says_what_it_means() {
    let indices = [&results::FINDINGS, &results::OBSERVATIONS, &scans::METRICS, &targets::ASSETS, &audit::ENTRIES];
    for field in indices.iter().flat_map(|index| index.fields) {
        for language in Language::ALL {
            let meaning = language.meaning(field.about);
            assert!(meaning.is_some(), "{}: {}", field.name, field.about);
            assert!(language != Language::English || meaning == Some(field.about), "{meaning:?} is not {}", field.about);
        }
    }
}

#[test]
fn texts_for_errors_are_for_errors_that_exist() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let code = |key: &&str| key.strip_prefix("error.").map(str::to_owned);
    for code in keys(Language::English).iter().filter_map(code) {
        let context = code.split('.').next().unwrap();
        // Some codes are made below every context.
        let file = match code.as_str() {
            "auth.permission_missing" | "auth.bound_to_units" => "base/src/actor.rs".to_owned(),
            "unit.malformed" => "base/src/unit.rs".to_owned(),
            "keys.waiting" => "backends/src/errors.rs".to_owned(),
            _ => format!("{context}/src/errors.rs"),
        };
        let text = std::fs::read_to_string(crates.join(&file)).unwrap();
        assert!(text.contains(&format!("\"{code}\"")), "{code} is not in {file}");
    }
}

#[test]
fn the_language_follows_what_the_browser_prefers() {
    for (header, language) in [
        ("pt-PT,pt;q=0.9,en;q=0.8", Language::Portuguese),
        ("fr, es;q=0.4, en;q=0.3", Language::Spanish),
        ("de", Language::English),
        ("en;q=0, es;q=0.1", Language::Spanish),
        ("", Language::English),
    ] {
        assert_eq!(Language::accepted(header), language, "{header}");
    }
    assert_eq!(Language::Portuguese.number(1_234_567), "1.234.567");
    assert_eq!(Language::English.number(999), "999");
    assert_eq!(fill("{count} of {all}", &[("count", "1"), ("all", "2")]), "1 of 2");
}
