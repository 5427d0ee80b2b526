//! What a schema asks for, once it is compiled.

use super::number::Number;
use super::pattern::Pattern;
use super::value::Value;

/// A schema's place among all that it is made of.
pub(crate) type At = usize;
/// A reference's place among all references: what it leads to is known once everything is compiled.
pub(crate) type Reference = usize;

/// A schema within a schema.
#[derive(Debug)]
pub(crate) enum Subschema {
    /// It takes everything.
    Anything,
    /// It takes nothing.
    Nothing,
    /// It takes what keeps all rules.
    Rules(Vec<Rule>),
}

/// One keyword, or some that only make sense together.
#[derive(Debug)]
pub(crate) enum Rule {
    Types(Types),
    OneOf(Vec<At>),
    AnyOf(Vec<At>),
    AllOf(Vec<At>),
    Not(At),
    If(If),
    Refer(Reference),
    /// In order, in canonical form.
    Enum(Vec<Value<'static>>),
    Const(Value<'static>),
    MultipleOf(Number<'static>),
    AtMost(Number<'static>),
    Below(Number<'static>),
    AtLeast(Number<'static>),
    Above(Number<'static>),
    Length(Count),
    Matches(Pattern),
    Items(Count),
    Unique,
    List(List),
    Contains(Contains),
    Properties(Count),
    /// In order of the alphabet.
    Required(Vec<String>),
    /// In order of the alphabet, the names on either side.
    DependentRequired(Vec<(String, Vec<String>)>),
    /// In order of the alphabet.
    DependentSchemas(Vec<(String, At)>),
    Object(Object),
    PropertyNames(At),
    // Last, since they are about what all others leave.
    UnevaluatedItems(At),
    UnevaluatedProperties(At),
}

/// How many there may be.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) least: Option<u64>,
    pub(crate) most: Option<u64>,
}

/// `if` with what follows from it.
#[derive(Debug)]
pub(crate) struct If {
    pub(crate) condition: At,
    pub(crate) then: Option<At>,
    pub(crate) otherwise: Option<At>,
}

/// `prefixItems` and `items`.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) first: Vec<At>,
    pub(crate) rest: Option<At>,
}

/// `contains`, and how often.
#[derive(Debug)]
pub(crate) struct Contains {
    pub(crate) item: At,
    pub(crate) count: Count,
}

/// `properties`, `patternProperties` and `additionalProperties`.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// In order of the alphabet.
    pub(crate) named: Vec<(String, At)>,
    pub(crate) patterns: Vec<(Pattern, At)>,
    pub(crate) rest: Option<At>,
}

/// Types that a value may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Types(u8);

/// What JSON Schema calls types.
const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];

impl Types {
    /// The same with one more; nothing where there is none of this name.
    pub(crate) fn and(self, name: &str) -> Option<Self> {
        TYPES.iter().position(|known| *known == name).map(|at| Self(self.0 | 1 << at))
    }

    /// Whether this is among them.
    pub(crate) fn has(self, name: &str) -> bool {
        Self::default().and(name).is_some_and(|one| self.0 & one.0 != 0)
    }

    /// Whether a value is of one of them.
    pub(crate) fn take(self, value: &Value<'_>) -> bool {
        let bit = match value {
            Value::Null => 1,
            Value::Boolean(_) => 1 << 1,
            Value::Object(_) => 1 << 2,
            Value::List(_) => 1 << 3,
            Value::Number(number) => 1 << 4 | if self.0 & 1 << 6 != 0 && number.is_whole() { 1 << 6 } else { 0 },
            Value::Text(_) => 1 << 5,
        };
        self.0 & bit != 0
    }

    /// Them in words.
    pub(crate) fn told(self) -> String {
        TYPES.into_iter().filter(|name| self.has(name)).collect::<Vec<_>>().join(" or ")
    }

    /// The names that there are, in words.
    pub(crate) fn all() -> String {
        TYPES.join(", ")
    }
}

impl Subschema {
    /// Those within that look at the same value, and not at a part of it.
    pub(crate) fn at_the_same_place(&self, targets: &[At]) -> Vec<At> {
        let Self::Rules(rules) = self else { return Vec::new() };
        let within = |rule: &Rule| match rule {
            Rule::OneOf(all) | Rule::AnyOf(all) | Rule::AllOf(all) => all.clone(),
            Rule::Not(one) => vec![*one],
            Rule::If(If { condition, then, otherwise }) => {
                [Some(*condition), *then, *otherwise].into_iter().flatten().collect()
            }
            Rule::Refer(reference) => vec![targets[*reference]],
            Rule::DependentSchemas(all) => all.iter().map(|(_, one)| *one).collect(),
            _ => Vec::new(),
        };
        rules.iter().flat_map(within).collect()
    }
}
