// What the tests of filters have in common, wherever they stand: the worked examples of `filters.json`, and made-up pairs of a filter
// and an event. What is made up has few keys and few values, so that every other filter is met.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Pairs that each judge of filters is held to.
pub(crate) const PAIRS: u32 = 10_000;

/// The worked examples.
#[allow(dead_code, reason = "not every test that includes this reads them")]
pub(crate) fn examples(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("filters.json")).expect("the examples are JSON");
    all[kind].as_array().expect("a list").clone()
}

/// An event as a filter's examples have it.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A filter and an event, made up from a number: so ten thousand are made in a moment.
pub(crate) fn pair() -> impl Strategy<Value = (String, Made)> {
    any::<u64>().prop_map(|seed| {
        let mut dice = Dice(seed);
        let (filter, data) = (dice.filter().to_string(), dice.object(3).to_string());
        let mut tags = BTreeMap::new();
        for _ in 0..dice.roll(3) {
            tags.insert(dice.of(&["a", "b"]).to_owned(), dice.of(&["a", "b"]).to_owned());
        }
        (filter, Made { event: dice.of(&["a.b", "a"]).to_owned(), data, tags })
    })
}

/// Numbers that follow from the one before (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let place = self.roll(all.len() as u64);
        all[usize::try_from(place).expect("a place")]
    }

    fn scalar(&mut self) -> Value {
        let text = self.of(&["1", "", "a", "ab", "AB", "ba", "*", "\u{e9}", "\u{c9}"]);
        match self.roll(16) {
            0 => json!(null),
            1 => json!(true),
            2 => json!(false),
            3 => json!(1),
            4 => json!(1.0),
            5 => json!(2),
            6 => json!(-1),
            _ => json!(text),
        }
    }

    /// What may nest so deep.
    fn value(&mut self, depth: u64) -> Value {
        match self.roll(5) {
            0 if depth > 0 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            1 | 2 if depth > 0 => self.object(depth - 1),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, depth: u64) -> Value {
        (0..self.roll(4)).map(|_| (self.key(), self.value(depth))).collect::<Map<_, _>>().into()
    }

    fn key(&mut self) -> String {
        self.of(&["a", "b", "c"]).to_owned()
    }

    fn comparison(&mut self) -> Value {
        let (text, wildcard) =
            (self.of(&["a", "A", "b", "ab", "\u{e9}"]), self.of(&["*", "a*", "*b", "a*b", r"\*", ""]));
        let number: f64 = self.of(&[-1.0, 0.0, 1.0, 1.5, 2.0]);
        match self.roll(24) {
            0 => json!({"prefix": text}),
            1 => json!({"suffix": text}),
            2 => json!({"prefix": {"equals-ignore-case": text}}),
            3 => json!({"suffix": {"equals-ignore-case": text}}),
            4 => json!({"equals-ignore-case": text}),
            5 => json!({"wildcard": wildcard}),
            6 => json!({"numeric": [">=", number]}),
            7 => json!({"numeric": ["<", number]}),
            8 => json!({"numeric": [">", 0, "<=", number.max(1.0)]}),
            9 => json!({"numeric": ["=", number]}),
            10 => json!({"exists": true}),
            11 | 12 => json!({"exists": false}),
            13 => json!({"anything-but": [text, "1"]}),
            14 => json!({"anything-but": number}),
            15 => json!({"anything-but": {"prefix": text}}),
            16 => json!({"anything-but": {"suffix": [text]}}),
            17 => json!({"anything-but": {"equals-ignore-case": text}}),
            18 => json!({"anything-but": {"wildcard": wildcard}}),
            _ => self.scalar(),
        }
    }

    fn leaf(&mut self) -> Value {
        (0..=self.roll(3)).map(|_| self.comparison()).collect()
    }

    /// What is asked of `data`, or of something in it.
    fn pattern(&mut self, depth: u64) -> Value {
        let mut fields = Map::new();
        for _ in 0..=self.roll(2) {
            let field = if depth > 0 && self.roll(5) > 1 { self.pattern(depth - 1) } else { self.leaf() };
            fields.insert(self.key(), field);
        }
        if depth > 0 && self.roll(5) < 2 {
            fields.insert("$or".to_owned(), (0..2).map(|_| self.pattern(depth - 1)).collect());
        }
        fields.into()
    }

    fn whole(&mut self) -> Value {
        match self.roll(9) {
            0 => json!({"event": [{"prefix": self.of(&["a", "a.b"])}]}),
            1 => json!({"tags": {"a": [self.of(&["a", "b"])]}}),
            2 => json!({"tags": {"b": [{"exists": false}]}}),
            _ => json!({"data": self.pattern(3)}),
        }
    }

    fn filter(&mut self) -> Value {
        let mut filter = self.whole();
        if self.roll(3) == 0 {
            filter["$or"] = (0..2).map(|_| self.whole()).collect();
        }
        filter
    }
}
