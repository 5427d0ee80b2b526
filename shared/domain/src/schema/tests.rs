//! What schemas take and refuse, and that none of them, with no data, can do more than is allowed.

use proptest::prelude::*;

use super::*;

fn compiled(text: &str) -> Schema {
    Schema::new(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

/// The places of what is amiss.
fn amiss(schema: &str, data: &str) -> Vec<String> {
    let judged = compiled(schema).judge(data);
    judged.err().into_iter().flatten().map(|fault| fault.path).collect()
}

/// Where a schema itself is amiss, and what was expected there.
fn refused(schema: &str) -> (String, String) {
    let fault = Schema::new(schema).map(drop).expect_err(schema);
    (fault.path, fault.message)
}

const INVOICE: &str = r##"{
    "type": "object",
    "required": ["id", "amount"],
    "properties": {
        "id": {"type": "string", "pattern": "^in_[0-9a-z]+$", "maxLength": 20},
        "amount": {"$ref": "#/$defs/money"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "maxItems": 3},
        "note": {"type": ["string", "null"]}
    },
    "additionalProperties": false,
    "$defs": {
        "money": {"type": "integer", "minimum": 0},
        "line": {"type": "object", "required": ["amount"], "properties": {"amount": {"$ref": "#/$defs/money"}}}
    }
}"##;

#[test]
fn faults_are_named_by_their_places() {
    for (data, places) in [
        (r#"{"id":"in_1","amount":5,"lines":[{"amount":1.0}],"note":null}"#, &[][..]),
        (r#"{"id":"in_1"}"#, &[""]),
        (r#"{}"#, &[""]),
        (r#"[]"#, &[""]),
        (r#"{"id":"IN","amount":5}"#, &["/id"]),
        (r#"{"id":7,"amount":"5"}"#, &["/id", "/amount"]),
        (
            r#"{"id":"in_1","amount":-1,"lines":[{},{"amount":1},{"amount":0.5}]}"#,
            &["/amount", "/lines/0", "/lines/2/amount"],
        ),
        (r#"{"id":"in_1","amount":1,"a/b~":1}"#, &["/a~1b~0"]),
        (r#"{"id":"in_1","amount":1,"lines":[{"amount":1},{"amount":1},{"amount":1},{"amount":1}]}"#, &["/lines"]),
    ] {
        let found = amiss(INVOICE, data);
        assert_eq!(found, places, "{data}");
    }
}

#[test]
fn a_fault_says_what_was_expected() {
    for (schema, data, expected) in [
        (r#"{"type":["integer","null"]}"#, "1.5", "expected null or integer"),
        (r#"{"enum":["a",{"b":1},2,3,4,5]}"#, "7", "expected one of `2`, `3`, `4`, `5`, `\"a\"` and 1 more"),
        (r#"{"const":"a"}"#, "1", "expected `\"a\"`"),
        (r#"{"required":["a","b"]}"#, r#"{"b":1}"#, "expected the property `a`"),
        (r#"{"additionalProperties":false}"#, r#"{"b":1}"#, "expected nothing here"),
        (r#"{"multipleOf":0.01}"#, "0.005", "expected a multiple of `0.01`"),
        (r#"{"exclusiveMaximum":5}"#, "5.0", "expected less than `5`"),
        (r#"{"minLength":2}"#, r#""é""#, "expected at least 2 characters"),
        (r#"{"pattern":"^a"}"#, r#""ba""#, "expected what matches `^a`"),
        (r#"{"uniqueItems":true}"#, "[1,1.0]", "expected items of which no two are the same"),
        (
            r#"{"contains":{"const":1},"minContains":2}"#,
            "[1]",
            "expected at least 2 items that the schema of `contains` takes",
        ),
        (r#"{"propertyNames":{"maxLength":1}}"#, r#"{"ab":1}"#, "expected no property named `ab`"),
        (r#"{"anyOf":[false,false]}"#, "1", "expected what one of the 2 schemas of `anyOf` takes"),
        (
            r#"{"oneOf":[true,true]}"#,
            "1",
            "expected what exactly one of the 2 schemas of `oneOf` takes; more than one does",
        ),
        (r#"{"not":{}}"#, "1", "expected what the schema of `not` does not take"),
    ] {
        let faults = compiled(schema).judge(data).unwrap_err();
        assert_eq!(faults[0].message, expected, "{schema}");
    }
}

#[test]
fn every_keyword_counts() {
    for (schema, good, bad) in [
        ("true", "1", ""),
        ("false", "", "1"),
        (r#"{"type":"integer"}"#, "1.0", "1.5"),
        (r#"{"type":"number"}"#, "1.5", "\"1\""),
        (r#"{"type":"boolean"}"#, "true", "0"),
        (r#"{"type":"null"}"#, "null", "{}"),
        (r#"{"enum":[{"a":[1,2],"b":null}]}"#, r#"{"b":null,"a":[1.0,2]}"#, r#"{"a":[2,1],"b":null}"#),
        (r#"{"const":9007199254740993}"#, "9007199254740993", "9007199254740992"),
        (r#"{"maximum":5}"#, "5", "5.000000000000000000001"),
        (r#"{"minimum":5}"#, "5e0", "4.999999999999999999999"),
        (r#"{"exclusiveMinimum":5}"#, "5.1", "5"),
        (r#"{"multipleOf":0.1}"#, "0.3", "0.35"),
        (r#"{"maxLength":2}"#, r#""😀é""#, r#""abc""#),
        (r#"{"pattern":"b+"}"#, r#""abbc""#, r#""ac""#),
        (r#"{"maxItems":1}"#, "[1]", "[1,2]"),
        (r#"{"minItems":2}"#, "[1,2]", "[1]"),
        (r#"{"uniqueItems":true}"#, r#"[1,"1",[1],{"a":1},true,null]"#, r#"[{"a":1,"b":2},{"b":2,"a":1}]"#),
        (r#"{"prefixItems":[{"type":"string"}],"items":{"type":"integer"}}"#, r#"["a",1,2]"#, r#"["a",1,"b"]"#),
        (r#"{"contains":{"type":"string"},"maxContains":1}"#, r#"[1,"a"]"#, r#"["a","b"]"#),
        (r#"{"contains":{"type":"string"},"minContains":0}"#, "[1]", ""),
        (r#"{"maxProperties":1}"#, r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
        (r#"{"minProperties":1}"#, r#"{"a":1}"#, "{}"),
        (r#"{"dependentRequired":{"a":["b"]}}"#, r#"{"c":1}"#, r#"{"a":1}"#),
        (r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#, r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
        (r#"{"patternProperties":{"^n_":{"type":"number"}}}"#, r#"{"n_a":1,"x":"y"}"#, r#"{"n_a":"1"}"#),
        (r#"{"properties":{"a":true},"additionalProperties":{"type":"number"}}"#, r#"{"a":"x","b":1}"#, r#"{"b":"x"}"#),
        (
            r#"{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}"#,
            r#"{"a":1,"b":1}"#,
            r#"{"b":1}"#,
        ),
        (r#"{"then":false,"else":false}"#, "1", ""),
        (r#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, "2", "3"),
        (r#"{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}"#, r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        (r#"{"allOf":[{"properties":{"a":true}},{"unevaluatedProperties":false}]}"#, "{}", r#"{"a":1}"#),
        (
            r#"{"allOf":[{"properties":{"a":true}},{"unevaluatedProperties":false}],"unevaluatedProperties":true}"#,
            "{}",
            r#"{"a":1}"#,
        ),
        (
            r#"{"anyOf":[{"required":["a"],"properties":{"a":true}},{"properties":{"b":true}}],"unevaluatedProperties":false}"#,
            r#"{"a":1,"b":1}"#,
            r#"{"c":1}"#,
        ),
        (r#"{"prefixItems":[true],"unevaluatedItems":{"type":"string"}}"#, r#"[1,"a"]"#, "[1,2]"),
        (r#"{"contains":{"const":1},"unevaluatedItems":false}"#, "[1,1]", "[1,2]"),
        (r##"{"$ref":"#money","$defs":{"m":{"$anchor":"money","minimum":1}}}"##, "1", "0"),
        (r##"{"$dynamicRef":"#m","$defs":{"m":{"$dynamicAnchor":"m","minimum":1}}}"##, "1", "0"),
        (r##"{"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"minimum":1}}}"##, "1", "0"),
        (
            r##"{"$id":"https://acme.example/s","$ref":"https://acme.example/s#/$defs/m","$defs":{"m":{"minimum":1}}}"##,
            "1",
            "0",
        ),
        (
            r##"{"properties":{"next":{"$ref":"#"},"v":{"type":"integer"}}}"##,
            r#"{"next":{"next":{"v":1}}}"#,
            r#"{"next":{"next":{"v":""}}}"#,
        ),
        // Annotations, and what is unknown, ask for nothing.
        (
            r#"{"format":"date-time","contentEncoding":"base64","x-own":1,"title":"T","deprecated":true}"#,
            r#""no date""#,
            "",
        ),
    ] {
        if !good.is_empty() {
            assert_eq!(amiss(schema, good), Vec::<String>::new(), "{schema} {good}");
        }
        if !bad.is_empty() {
            assert!(!amiss(schema, bad).is_empty(), "{schema} {bad}");
        }
    }
}

#[test]
fn a_schema_that_is_amiss_is_told_by_its_place() {
    for (schema, place, word) in [
        ("7", "", "a schema"),
        (r#"{"type":"int"}"#, "/type", "integer"),
        (r#"{"type":[]}"#, "/type", "integer"),
        (r#"{"properties":{"a":{"minimum":"1"}}}"#, "/properties/a/minimum", "number"),
        (r#"{"properties":{"a/b":[]}}"#, "/properties/a~1b", "a schema"),
        (r#"{"required":"a"}"#, "/required", "names"),
        (r#"{"required":["a","a"]}"#, "/required", "once"),
        (r#"{"maxLength":-1}"#, "/maxLength", "whole number"),
        (r#"{"multipleOf":0}"#, "/multipleOf", "above 0"),
        (r#"{"items":[{}]}"#, "/items", "a schema"),
        (r#"{"allOf":[]}"#, "/allOf", "at least one"),
        (r#"{"enum":1}"#, "/enum", "list"),
        (r#"{"$defs":{"unused":{"type":7}}}"#, "/$defs/unused/type", "integer"),
        (r#"{"exclusiveMinimum":true}"#, "/exclusiveMinimum", "number"),
        (r#"{"dependencies":{}}"#, "/dependencies", "dependentRequired"),
        (r#"{"properties":{"a":{"type":"string","nullable":true}}}"#, "/properties/a/nullable", "null"),
        (r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "/$schema", "2020-12"),
        (r#"{"properties":{"a":{"$id":"b"}}}"#, "/properties/a/$id", "whole schema"),
        (r#"{"$ref":"https://elsewhere.example/schema"}"#, "/$ref", "this very schema"),
        (r#"{"$ref":"other.json#/a"}"#, "/$ref", "this very schema"),
        (r##"{"items":{"$ref":"#/$defs/none"}}"##, "/items/$ref", "this very schema"),
        (r##"{"$ref":"#none"}"##, "/$ref", "this very schema"),
        (r##"{"$ref":"#/title","title":"x"}"##, "/$ref", "this very schema"),
        (r#"{"pattern":"(?=a)"}"#, "/pattern", "look-around"),
        (r#"{"pattern":"(a)\\1"}"#, "/pattern", "backreferences"),
        (r#"{"pattern":"("}"#, "/pattern", "without going back"),
        (r#"{"pattern":"\\p{L}"}"#, "/pattern", "Unicode"),
        (r#"{"patternProperties":{"(?!a)":true}}"#, "/patternProperties/(?!a)", "look-around"),
    ] {
        let (path, message) = refused(schema);
        assert_eq!(path, place, "{schema}: {message}");
        assert!(message.contains(word), "{schema}: {message}");
    }
}

#[test]
fn a_schema_has_bounds() {
    let many = |part: &str, count: usize| vec![part; count].join(",");
    let fits = format!(r#"{{"title":"{}"}}"#, "x".repeat(MAX_BYTES - 12));
    assert_eq!((fits.len(), Schema::new(&fits).is_ok()), (MAX_BYTES, true));
    let places = |count: usize| format!(r#"{{"allOf":[{}]}}"#, many("true", count - 1));
    let patterns = |count: usize| format!(r#"{{"allOf":[{}]}}"#, many(r#"{"pattern":"a"}"#, count));
    let chain = |count: usize| format!("{}true{}", r#"{"not":"#.repeat(count - 1), "}".repeat(count - 1));
    for (good, bad) in [
        (places(MAX_SUBSCHEMAS), places(MAX_SUBSCHEMAS + 1)),
        (patterns(MAX_PATTERNS), patterns(MAX_PATTERNS + 1)),
        (chain(MAX_CHAIN), chain(MAX_CHAIN + 1)),
        (r#"{"pattern":"a{100}"}"#.to_owned(), r#"{"pattern":"a{1000}{1000}"}"#.to_owned()),
        (r#"{"multipleOf":123456789012345678}"#.to_owned(), r#"{"multipleOf":1234567890123456789}"#.to_owned()),
        (r#"{"multipleOf":1e-399}"#.to_owned(), r#"{"multipleOf":1e-402}"#.to_owned()),
        (fits.clone(), fits.replacen('x', "xx", 1)),
    ] {
        assert!(Schema::new(&good).is_ok() && Schema::new(&bad).is_err(), "{good:.80}");
    }
}

#[test]
fn a_way_back_without_a_step_into_the_value_is_refused() {
    for (schema, place) in [
        (r##"{"$ref":"#"}"##, ""),
        (r##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##, ""),
        (
            r##"{"$defs":{"a":{"not":{"$ref":"#/$defs/b"}},"b":{"if":{"$ref":"#/$defs/a"}}},"items":{"$ref":"#/$defs/a"}}"##,
            "/$defs/a",
        ),
        (r##"{"dependentSchemas":{"a":{"$dynamicRef":"#x"}},"$dynamicAnchor":"x"}"##, ""),
    ] {
        let (path, message) = refused(schema);
        assert!(path == place && message.contains("no end"), "{schema}: {path} {message}");
    }
    // With such a step it ends with the value.
    for schema in [r##"{"items":{"$ref":"#"}}"##, r##"{"properties":{"a":{"anyOf":[{"$ref":"#"},{"type":"null"}]}}}"##]
    {
        assert!(Schema::new(schema).is_ok(), "{schema}");
    }
}

/// As much data as there may be, of one part again and again.
fn full(part: &str) -> String {
    format!("[{}]", vec![part; (crate::event::MAX_DATA_BYTES - 2) / (part.len() + 1)].join(","))
}

fn deep() -> String {
    format!("{}1{}", r#"{"a":"#.repeat(62), "}".repeat(62))
}

/// Whether judging was given up; it ends in any case.
fn is_too_much(schema: &str, data: &str) -> bool {
    let faults = compiled(schema).judge(data).err().unwrap_or_default();
    assert!(faults.len() <= MAX_FAULTS);
    faults.iter().any(|fault| fault.message.contains("bounded number of steps"))
}

#[test]
fn hostile_schemas_are_given_up_on() {
    let text = |one: &str, count: usize| format!("\"{}\"", one.repeat(count));
    let twice = |inner: &str| format!("[{inner},{inner}]");
    let step = r##"{"properties":{"a":{"$ref":"#"}}}"##;
    let laughs: String = (0..9)
        .map(|n| {
            format!(
                r##""d{n}":{{"allOf":[{}]}},"##,
                vec![format!(r##"{{"$ref":"#/$defs/d{}"}}"##, n + 1); 40].join(",")
            )
        })
        .collect();
    for (schema, data) in [
        // Two ways into every part: 2^62 of them into the last.
        (format!(r#"{{"allOf":{}}}"#, twice(step)), deep()),
        (format!(r#"{{"oneOf":{}}}"#, twice(step)), deep()),
        (
            format!(
                r#"{{"anyOf":[{step},{step},false],"not":false,"allOf":[{{"anyOf":{}}}],"unevaluatedProperties":true}}"#,
                twice(step)
            ),
            deep(),
        ),
        // 40^9 at one place.
        (format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{laughs}"d9":{{"type":"object"}}}}}}"##), "{}".to_owned()),
        // Everything for each of a great many.
        (format!(r#"{{"items":{{"allOf":[{}]}}}}"#, vec![r#"{"minItems":1}"#; 1500].join(",")), full("1")),
        (r#"{"pattern":"(?:a?){300}b"}"#.to_owned(), text("a", 100_000)),
        (
            format!(
                r#"{{"dependentRequired":{{{}}}}}"#,
                (0..1000).map(|n| format!(r#""k{n}":["z"]"#)).collect::<Vec<_>>().join(",")
            ),
            format!("{{{}}}", (0..20_000).map(|n| format!(r#""k{n}":1"#)).collect::<Vec<_>>().join(",")),
        ),
    ] {
        assert!(is_too_much(&schema, &data), "{schema:.120}");
    }
}

#[test]
fn what_only_looks_hostile_is_judged() {
    let values: Vec<String> = (0..6000).map(|n| n.to_string()).collect();
    let all: Vec<String> = (0..37_000).map(|n| n.to_string()).collect();
    for (schema, data) in [
        (format!(r#"{{"items":{{"enum":[{}]}}}}"#, values.join(",")), full("5999")),
        (r#"{"uniqueItems":true}"#.to_owned(), format!("[{}]", all.join(","))),
        (
            r#"{"items":{"pattern":"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}}"#.to_owned(),
            full(r#""01234567-89ab-cdef-0123-456789abcdef""#),
        ),
        (r##"{"properties":{"a":{"$ref":"#"}},"unevaluatedProperties":false}"##.to_owned(), deep()),
        (
            INVOICE.replace("\"type\": \"object\",\n    \"required\": [\"id\"", "\"required\": [\"id\""),
            r#"{"id":"in_1","amount":1}"#.to_owned(),
        ),
        (
            format!("{}true{}", r#"{"contains":"#.repeat(60), "}".repeat(60)),
            format!("{}1{}", "[".repeat(60), "]".repeat(60)),
        ),
    ] {
        assert!(!is_too_much(&schema, &data) && compiled(&schema).judge(&data).is_ok(), "{schema:.120}");
    }
}

#[test]
fn what_lies_too_deep_is_given_up_on_before_the_stack_is() {
    let chain =
        format!("{}{}{}", r#"{"allOf":["#.repeat(20), r##"{"properties":{"a":{"$ref":"#"}}}"##, "]}".repeat(20));
    assert!(is_too_much(&chain, &deep()));
    assert!(!is_too_much(&chain, r#"{"a":{"a":{"a":1}}}"#));
}

#[test]
fn of_many_faults_ten_are_told_and_none_is_long() {
    let long = "x".repeat(60_000);
    let faults = compiled(r#"{"items":{"type":"string"}}"#).judge(&full("1")).unwrap_err();
    assert_eq!((faults.len(), faults[9].path.as_str()), (MAX_FAULTS, "/9"));
    let data = format!(r#"{{"{long}":{{"{long}":1}},"short":{{"{long}":1}}}}"#);
    let schema = r#"{"additionalProperties":{"additionalProperties":false},"propertyNames":{"maxLength":9}}"#;
    let faults = compiled(schema).judge(&data).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["", "", "/short"]);
    assert!(faults.iter().all(|fault| fault.message.chars().count() < 500), "{faults:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The same data is judged alike however often, and no more steps are taken than there are.
    #[test]
    fn a_verdict_depends_on_nothing_else(steps in 0_u64..400, data in "[\\[\\]{}:,\"ab01]{0,30}") {
        let schema = compiled(INVOICE);
        let judged = || schema.judge_in(steps, &data);
        prop_assert_eq!(judged(), judged());
        prop_assert!(judged().map_or(true, |left| left <= steps));
    }

    /// More steps never turn a verdict round; they only bring one about.
    #[test]
    fn more_steps_bring_no_other_verdict(few in 0_u64..200, lines in 0_usize..6) {
        let line = r#"{"amount":1}"#;
        let data = format!(r#"{{"id":"in_1","amount":1,"lines":[{}]}}"#, vec![line; lines].join(","));
        let schema = compiled(INVOICE);
        if schema.judge_in(few, &data).is_ok() {
            prop_assert!(schema.judge(&data).is_ok());
        }
        prop_assert_eq!(schema.judge(&data).is_ok(), lines <= 3);
    }
}
