//! Every vector with a published score gets exactly that score, in every group.

use risk::cvss::{Score, Vector, Version};

use crate::testdata;

/// A published column: a number, `None`, or nothing.
fn column(text: Option<&str>) -> Option<u8> {
    let text = text?.trim();
    // "-0.0" is zero; "5" is 5.0.
    text.parse::<f64>().ok().map(|score| format!("{:.0}", (score * 10.0).abs()).parse().unwrap())
}

fn check(file: &str, version: Version, least: usize) {
    let text = std::fs::read_to_string(testdata(&format!("vuln/redhat-cvss/tests/{file}"))).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let (text, scores) = line.split_once(" - ").unwrap();
        let mut columns = scores.trim_matches(['(', ')']).split(',');
        let (first, second, third) = (column(columns.next()), column(columns.next()), column(columns.next()));
        let vector = Vector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(vector.version(), version, "{text}");
        let tenths = |score: Option<Score>| score.map(Score::tenths);
        if version == Version::V4 {
            assert_eq!(tenths(Some(vector.score())), first, "{text}");
        } else {
            assert_eq!(
                (Some(vector.base().tenths()), tenths(vector.temporal()), tenths(vector.environmental())),
                (first, second, third),
                "{text}"
            );
        }
        assert_eq!(Vector::parse(&vector.to_string()).unwrap(), vector, "{text}");
        count += 1;
    }
    assert!(count >= least, "{file} has {count} vectors");
}

#[test]
fn version_2_scores_are_the_published_ones() {
    check("vectors_simple2", Version::V2, 729);
    check("vectors_cvsslib2", Version::V2, 24);
    check("vectors_calculator2", Version::V2, 5);
}

#[test]
fn version_3_scores_are_the_published_ones() {
    check("vectors_simple3", Version::V30, 2592);
    check("vectors_simple31", Version::V31, 2592);
    check("vectors_cvsslib3", Version::V30, 29);
    check("vectors_calculator3", Version::V30, 2);
}

#[test]
fn version_4_scores_are_the_published_ones() {
    check("vectors_simple4", Version::V4, 1058);
    check("vectors_security4", Version::V4, 54);
    check("vectors_supplemental4", Version::V4, 576);
    check("vectors_threat4", Version::V4, 6);
}

/// Worked examples of the v2 guide, section 3.3.
#[test]
fn the_examples_of_the_version_2_guide_come_out() {
    for (text, base, temporal, environmental) in [
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", 78, 64, 92),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", 100, 83, 90),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", 62, 49, 75),
    ] {
        let vector = Vector::parse(text).unwrap();
        let scores = (vector.base().tenths(), vector.temporal().unwrap().tenths(), vector.environmental().unwrap().tenths());
        assert_eq!(scores, (base, temporal, environmental), "{text}");
    }
}
