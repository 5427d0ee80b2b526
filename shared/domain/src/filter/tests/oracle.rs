//! What a filter matches by its definition, told slowly: all ways to choose among its alternatives, an event that is flattened to its
//! values, each with the elements of arrays that it stands in, and every way to choose a value for each field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::made::Made;

/// A field of a filter, and what of its comparisons was chosen: that one of them holds, or that it is absent.
type Chosen = (Vec<String>, Option<Vec<Value>>);
/// In which element of which array something stands.
type Elements = BTreeMap<usize, usize>;

struct Flat {
    path: Vec<String>,
    value: Value,
    elements: Elements,
}

pub(super) fn matches(filter: &str, event: &Made) -> bool {
    let data: Value = serde_json::from_str(&event.data).unwrap();
    let mut flat = Vec::new();
    let whole = json!({"event": event.event, "data": data, "tags": event.tags});
    flatten(&whole, &[], (&Elements::new(), &Elements::new()), (&mut flat, &mut 0));
    let filter = serde_json::from_str(filter).unwrap();
    combinations(&filter, &[]).iter().any(|all| {
        let (wanted, absent): (Vec<&Chosen>, Vec<&Chosen>) = all.iter().partition(|(_, tests)| tests.is_some());
        chosen(&wanted, &Elements::new(), &flat, &|elements| {
            let stands =
                |one: &Flat, path: &Vec<String>| one.path == *path && together(&one.elements, elements).is_some();
            absent.iter().all(|(path, _)| !flat.iter().any(|one| stands(one, path)))
        })
    })
}

/// `within` are the elements that a value's object stands in, `here` those of the lists that lead from there to it.
fn flatten(
    value: &Value,
    path: &[String],
    (within, here): (&Elements, &Elements),
    (flat, arrays): (&mut Vec<Flat>, &mut usize),
) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(value, &[path, std::slice::from_ref(key)].concat(), (here, here), (flat, arrays));
            }
        }
        Value::Array(items) => {
            let array = *arrays;
            *arrays += 1;
            for (number, item) in items.iter().enumerate() {
                let mut here = here.clone();
                here.insert(array, number);
                flatten(item, path, (within, &here), (flat, arrays));
            }
        }
        // Which of a list's plain values it is, binds nothing else.
        scalar => flat.push(Flat { path: path.to_vec(), value: scalar.clone(), elements: within.clone() }),
    }
}

/// Every way to choose one of each alternatives, and for each field whether it is to be there.
fn combinations(pattern: &Value, path: &[String]) -> Vec<Vec<Chosen>> {
    let mut all = vec![Vec::new()];
    for (key, value) in pattern.as_object().unwrap() {
        let path = [path, std::slice::from_ref(key)].concat();
        let choices: Vec<Vec<Chosen>> = match value {
            Value::Array(alternatives) if key == "$or" => {
                alternatives.iter().flat_map(|one| combinations(one, &path[..path.len() - 1])).collect()
            }
            Value::Array(tests) => {
                let (absent, wanted): (Vec<_>, Vec<_>) =
                    tests.iter().cloned().partition(|test| test["exists"] == false);
                let absent = (!absent.is_empty()).then(|| vec![(path.clone(), None)]);
                let wanted = (!wanted.is_empty()).then(|| vec![(path.clone(), Some(wanted))]);
                absent.into_iter().chain(wanted).collect()
            }
            inner => combinations(inner, &path),
        };
        all = all.iter().flat_map(|one| choices.iter().map(move |more| [one.as_slice(), more].concat())).collect();
    }
    all
}

/// Whether values can be chosen for these fields that stand in no two elements of one array, and the rest is so.
fn chosen(wanted: &[&Chosen], elements: &Elements, flat: &[Flat], rest: &impl Fn(&Elements) -> bool) -> bool {
    let Some(((path, tests), others)) = wanted.split_first() else { return rest(elements) };
    let tests = tests.as_deref().unwrap_or_default();
    flat.iter()
        .filter(|one| one.path == *path && tests.iter().any(|test| holds(test, &one.value)))
        .any(|one| together(&one.elements, elements).is_some_and(|elements| chosen(others, &elements, flat, rest)))
}

fn together(one: &Elements, other: &Elements) -> Option<Elements> {
    let agree = one.iter().all(|(array, element)| other.get(array).is_none_or(|there| there == element));
    agree.then(|| one.iter().chain(other).map(|(array, element)| (*array, *element)).collect())
}

fn holds(test: &Value, value: &Value) -> bool {
    let Some((name, wanted)) = test.as_object().and_then(|it| it.iter().next()) else { return same(test, value) };
    let text = value.as_str();
    let each = |wanted: &Value| wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
    match (name.as_str(), &wanted["equals-ignore-case"]) {
        ("exists", _) => wanted == true,
        ("prefix", Value::Null) => text.is_some_and(|text| text.starts_with(wanted.as_str().unwrap())),
        ("suffix", Value::Null) => text.is_some_and(|text| text.ends_with(wanted.as_str().unwrap())),
        ("prefix", folded) => text.is_some_and(|text| lower(text).starts_with(&lower(folded.as_str().unwrap()))),
        ("suffix", folded) => text.is_some_and(|text| lower(text).ends_with(&lower(folded.as_str().unwrap()))),
        ("equals-ignore-case", _) => text.is_some_and(|text| lower(text) == lower(wanted.as_str().unwrap())),
        ("wildcard", _) => text.is_some_and(|text| wild(wanted.as_str().unwrap().as_bytes(), text.as_bytes())),
        ("numeric", _) => wanted.as_array().unwrap().chunks(2).all(|pair| {
            let (Some(found), bound) = (value.as_f64(), pair[1].as_f64().unwrap()) else { return false };
            match pair[0].as_str().unwrap() {
                ">" => found > bound,
                ">=" => found >= bound,
                "<" => found < bound,
                "<=" => found <= bound,
                _ => found.total_cmp(&bound).is_eq(),
            }
        }),
        ("anything-but", _) => match wanted.as_object().and_then(|it| it.iter().next()) {
            Some((name, wanted)) => !each(wanted).iter().any(|one| holds(&json!({name: one}), value)),
            None => !each(wanted).iter().any(|one| same(one, value)),
        },
        (name, _) => panic!("an unknown comparison: {name}"),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn wild(wanted: &[u8], text: &[u8]) -> bool {
    match (wanted, text) {
        ([b'\\', escaped, rest @ ..], [first, behind @ ..]) => escaped == first && wild(rest, behind),
        ([b'*', rest @ ..], _) if wild(rest, text) => true,
        ([b'*', ..], [_, behind @ ..]) => wild(wanted, behind),
        ([one, rest @ ..], [first, behind @ ..]) if *one != b'\\' => one == first && wild(rest, behind),
        (wanted, text) => wanted.is_empty() && text.is_empty(),
    }
}
