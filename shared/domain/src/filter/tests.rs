//! Filters, held to the worked examples, to what their definition says, and to their bounds.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[path = "../../../../tests/vectors/filters.rs"]
mod made;
mod oracle;

use made::{Made, PAIRS, examples, pair};

fn verdict(filter: &str, event: &Made) -> Verdict {
    let seen = Seen::read(&event.event, &event.data, &event.tags).unwrap();
    Filter::parse(filter).unwrap().judge(&seen)
}

fn invalid(filter: &Value) -> Invalid {
    Filter::parse(&filter.to_string()).map(drop).expect_err(&filter.to_string())
}

fn of(data: &Value) -> Made {
    Made { event: "ping".to_owned(), data: data.to_string(), tags: BTreeMap::new() }
}

#[test]
fn the_worked_examples_are_judged_as_they_say() {
    let examples = examples("judged");
    assert!(examples.len() >= 80);
    for example in examples {
        let tags = example["tags"].as_object().into_iter().flatten();
        let event = Made {
            event: example["event"].as_str().unwrap().to_owned(),
            data: example["data"].to_string(),
            tags: tags.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        };
        let expected = match example["matches"].as_bool().unwrap() {
            true => Verdict::Matches,
            false => Verdict::Not(example["why"].as_str().unwrap().to_owned()),
        };
        assert_eq!(verdict(&example["filter"].to_string(), &event), expected, "{}", example["about"]);
    }
}

#[test]
fn what_is_no_filter_is_refused_by_its_place() {
    for example in examples("refused") {
        let invalid = invalid(&example["filter"]);
        assert_eq!(invalid.field, example["field"].as_str().unwrap(), "{}: {invalid}", example["about"]);
        assert!(!invalid.expected.is_empty());
    }
    let refused = |filter: &str| Filter::parse(filter).map(drop).unwrap_err().to_string();
    assert!(refused(r#"{"data":{"ip":[{"cidr":"10.0.0.0/8"}]}}"#).contains("`cidr` is none"));
    assert!(refused(r#"{"data":{"a":[1],"a":[2]}}"#).contains("twice"), "or another parser reads another filter");
    assert!(refused("{").starts_with("`filter`: expected valid JSON"));
}

#[test]
fn every_comparison_is_an_example() {
    let text = json!(examples("judged")).to_string();
    for name in ["prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "exists", "anything-but", "$or"] {
        assert!(text.contains(&format!(r#"{{"{name}":"#)), "{name}");
    }
}

#[test]
fn a_filter_is_of_4_kib_and_100_comparisons_at_most() {
    let fields = |count: usize| -> Value {
        (0..count).map(|n| (format!("k{n}"), json!([n]))).collect::<serde_json::Map<_, _>>().into()
    };
    let is_taken = |filter: &Value| Filter::parse(&filter.to_string()).is_ok();
    assert!(is_taken(&json!({"data": fields(100)})));
    assert_eq!(invalid(&json!({"data": fields(101)})).field, "filter");
    let values: Vec<usize> = (0..101).collect();
    assert!(is_taken(&json!({"data": {"a": values[..100]}})) && !is_taken(&json!({"data": {"a": values}})));
    let but = |values: &[usize]| json!({"data": {"a": [{"anything-but": values}]}});
    assert!(is_taken(&but(&values[..100])) && !is_taken(&but(&values)));
    // As many as a judgement makes: those beside alternatives that look into the same field are made for each of them.
    let beside = |count: usize| {
        let or: Vec<Value> = (0..10).map(|n| json!({"data": {"b": [n]}})).collect();
        json!({"data": {"x": fields(count)}, "$or": or})
    };
    assert!(is_taken(&beside(9)) && !is_taken(&beside(10)));
    let padded = |bytes: usize| format!("{}{}", r#"{"event":["a"]}"#, " ".repeat(bytes - 15));
    assert!(Filter::parse(&padded(MAX_BYTES)).is_ok());
    assert_eq!(Filter::parse(&padded(MAX_BYTES + 1)).map(drop).unwrap_err().field, "filter");
}

/// Alternatives that would make more combinations than there are atoms, refused at once.
#[test]
fn alternatives_are_not_multiplied_out_beyond_the_bound() {
    let or = |n: usize| json!([{"data": {"a": [n]}}, {"data": {"b": [n]}}]);
    let tangled = (0..12).fold(
        json!({"data": {"c": [1]}}),
        |inner, n| json!({"$or": [{"data": {"d": [n]}, "$or": or(n)}, inner], "data": {"e": [n]}}),
    );
    assert!(tangled.to_string().len() <= MAX_BYTES);
    assert_eq!(invalid(&tangled).field, "filter");
}

#[test]
fn a_filter_nests_as_deep_as_data_may() {
    let nested = |depth: usize, end: Value| (0..depth).fold(end, |inner, _| json!({"a": inner}));
    let (filter, data) = (json!({"data": nested(60, json!([1]))}), nested(60, json!(1)));
    assert_eq!(verdict(&filter.to_string(), &of(&data)), Verdict::Matches);
    assert_eq!(invalid(&json!({"data": nested(64, json!([1]))})).field, "filter");
}

#[test]
fn a_reason_is_short_whatever_it_is_about() {
    let long = "\u{1f642}".repeat(900);
    let data = json!({&long[..2400]: &long, &long[..40]: "x", "list": vec![&long; 20]});
    let deep =
        (0..24).fold(json!({&long[..40]: [{"prefix": &long[..40]}]}), |inner, n| json!({"$or": [inner, {"b": [n]}]}));
    for asked in [
        json!({&long[..2400]: [{"wildcard": &long[..800]}]}),
        json!({"list": [{"suffix": format!("x{}", &long[..1200])}, "x", {"prefix": format!("x{}", &long[..1200])}, "z"]}),
        json!({"list": [{"anything-but": {"prefix": [&long[..400], &long[..800], &long[..1200]]}}]}),
        deep,
    ] {
        let filter = json!({"data": asked}).to_string();
        let Verdict::Not(why) = verdict(&filter, &of(&data)) else { panic!("{filter}") };
        assert!(why.chars().count() <= MAX_REASON_CHARS, "{why}");
        assert!(!why.contains(&long[..4 * 65]), "{why}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: PAIRS, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_matches_what_it_does_by_its_definition((filter, event) in pair()) {
        // What makes too many comparisons is no filter.
        if Filter::parse(&filter).is_ok() {
            let expected = oracle::matches(&filter, &event);
            let verdict = verdict(&filter, &event);
            prop_assert_eq!(verdict == Verdict::Matches, expected, "{} {:?} {:?}", filter, event, verdict);
        }
    }
}
