//! What the TXT records of a domain say about mail: SPF (RFC 7208) and DMARC (RFC 7489), judged without asking anybody.

use crate::catalogue::{Check, dns};

/// Terms of SPF that cost a look-up, of which ten are allowed.
const LOOKUPS: &[&str] = &["include", "a", "mx", "ptr", "exists", "redirect"];

/// What is wrong with the SPF records of a domain that receives mail, and the record that shows it.
pub(super) fn spf(texts: &[String]) -> Vec<(&'static Check, String)> {
    let is_spf = |text: &&String| {
        let lower = text.to_ascii_lowercase();
        lower == "v=spf1" || lower.starts_with("v=spf1 ")
    };
    let records: Vec<&String> = texts.iter().filter(is_spf).collect();
    let [record] = records.as_slice() else {
        return match records.is_empty() {
            true => vec![(&dns::SPF_MISSING, String::new())],
            false => vec![(&dns::SPF_BROKEN, format!("{} records", records.len()))],
        };
    };
    let lower = record.to_ascii_lowercase();
    let terms: Vec<&str> = lower.split_whitespace().skip(1).collect();
    let mut wrong = Vec::new();
    if terms.iter().filter(|term| LOOKUPS.contains(&name(term))).count() > 10 {
        wrong.push((&dns::SPF_BROKEN, (*record).clone()));
    }
    let redirects = terms.iter().any(|term| term.starts_with("redirect="));
    let refuses = match terms.iter().find(|term| name(term) == "all") {
        Some(all) => all.starts_with(['-', '~']),
        None => redirects,
    };
    if !refuses {
        wrong.push((&dns::SPF_WEAK, (*record).clone()));
    }
    wrong
}

/// The mechanism or modifier of a term, without qualifier and value.
fn name<'t>(term: &&'t str) -> &'t str {
    let bare = term.trim_start_matches(['+', '-', '~', '?']);
    bare.split([':', '=', '/']).next().unwrap_or(bare)
}

/// What is wrong with the DMARC records of a domain that receives mail.
pub(super) fn dmarc(texts: &[String]) -> Vec<(&'static Check, String)> {
    let tags = |text: &str| -> Vec<(String, String)> {
        let pair =
            |part: &str| part.split_once('=').map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase()));
        text.split(';').filter_map(pair).collect()
    };
    let records: Vec<(&String, Vec<(String, String)>)> = texts.iter().map(|text| (text, tags(text))).collect();
    let is_dmarc = |tags: &[(String, String)]| tags.first().is_some_and(|(key, value)| key == "v" && value == "dmarc1");
    let mut own = records.iter().filter(|(_, tags)| is_dmarc(tags));
    let (Some((record, tags)), None) = (own.next(), own.next()) else {
        return vec![(&dns::DMARC_MISSING, String::new())];
    };
    let tag = |wanted: &str| tags.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    let enforced = matches!(tag("p"), Some("quarantine" | "reject"));
    let partly = tag("pct").and_then(|percent| percent.parse::<u8>().ok()).is_some_and(|percent| percent < 100);
    let subdomains = tag("sp") == Some("none");
    match !enforced || partly || subdomains {
        true => vec![(&dns::DMARC_WEAK, (*record).clone())],
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(found: Vec<(&'static Check, String)>) -> Vec<&'static str> {
        found.into_iter().map(|(check, _)| check.id).collect()
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn an_spf_record_must_be_one_and_refuse_the_rest() {
        let judged = |texts: &[&str]| checks(spf(&owned(texts)));
        assert_eq!(judged(&["v=spf1 mx -all", "other"]), Vec::<&str>::new());
        assert_eq!(judged(&["v=spf1 redirect=_spf.example.net"]), Vec::<&str>::new());
        assert_eq!(judged(&["v=spf1 include:_spf.example.net ~all"]), Vec::<&str>::new());
        assert_eq!(judged(&["other", "v=spf10 -all"]), ["dns.spf-missing"]);
        assert_eq!(judged(&["v=spf1 mx +all"]), ["dns.spf-weak"]);
        assert_eq!(judged(&["v=spf1 mx all"]), ["dns.spf-weak"]);
        assert_eq!(judged(&["v=spf1 mx ?all"]), ["dns.spf-weak"]);
        assert_eq!(judged(&["v=spf1 mx"]), ["dns.spf-weak"]);
        assert_eq!(judged(&["v=spf1 -all", "v=spf1 mx -all"]), ["dns.spf-broken"]);
        let long = format!("v=spf1 {}-all", "include:x.example ".repeat(11));
        assert_eq!(judged(&[&long]), ["dns.spf-broken"]);
    }

    #[test]
    fn a_dmarc_policy_must_act_on_all_mail() {
        let judged = |texts: &[&str]| checks(dmarc(&owned(texts)));
        assert_eq!(judged(&["v=DMARC1; p=reject; rua=mailto:d@example.com"]), Vec::<&str>::new());
        assert_eq!(judged(&["v=DMARC1;p=none"]), ["dns.dmarc-no-policy"]);
        assert_eq!(judged(&["v=DMARC1; p=quarantine; pct=20"]), ["dns.dmarc-no-policy"]);
        assert_eq!(judged(&["v=DMARC1; p=reject; sp=none"]), ["dns.dmarc-no-policy"]);
        assert_eq!(judged(&["v=spf1 -all"]), ["dns.dmarc-missing"]);
    }
}
