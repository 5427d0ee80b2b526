//! From a schema as it is written to its rules. Whatever has no meaning here, or too large a one, is refused by its place.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use percent_encoding::percent_decode_str;

use super::fault::Fault;
use super::number::{MAX_DIVISOR_DIGITS, Number};
use super::pattern::Pattern;
use super::rule::{At, Contains, Count, If, List, Object, Rule, Subschema, Types};
use super::value::{Value, escaped};
use crate::invalid::quoted;

/// Schemas within a schema, itself among them.
pub const MAX_SUBSCHEMAS: usize = 2000;
/// Patterns in a schema: each takes memory of its own.
pub const MAX_PATTERNS: usize = 100;
/// Schemas that look at the same value one inside another, by `allOf` or `$ref` for instance.
pub const MAX_CHAIN: usize = 32;
/// The dialect.
pub const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What earlier drafts or OpenAPI 3.0 had, and what there is instead: without effect it would let through what its author forbids.
const OF_ANOTHER_DRAFT: [(&str, &str); 5] = [
    ("dependencies", "`dependentRequired` or `dependentSchemas`"),
    ("additionalItems", "`prefixItems` with `items`"),
    ("$recursiveRef", "`$ref`"),
    ("$recursiveAnchor", "`$anchor`"),
    ("nullable", "`null` among the names of `type`"),
];

/// All that a schema is made of.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The first is the schema itself.
    pub(crate) all: Vec<Subschema>,
    /// What references lead to.
    pub(crate) targets: Vec<At>,
}

/// A reference that is yet to be followed.
#[derive(Clone)]
struct Reaches<'v> {
    path: String,
    to: &'v str,
}

struct Compiler<'v> {
    root: &'v Value<'v>,
    id: Option<&'v str>,
    places: BTreeMap<String, At>,
    waiting: VecDeque<(String, &'v Value<'v>)>,
    anchors: BTreeMap<&'v str, At>,
    references: Vec<Reaches<'v>>,
    patterns: usize,
}

/// Compiles a schema.
///
/// # Errors
/// The first thing that is amiss.
pub(crate) fn compile(root: &Value<'_>) -> Result<Compiled, Fault> {
    let mut compiler = Compiler {
        root,
        id: root.get("$id").and_then(Value::as_text).map(|id| id.trim_end_matches('#')),
        places: BTreeMap::new(),
        waiting: VecDeque::new(),
        anchors: BTreeMap::new(),
        references: Vec::new(),
        patterns: 0,
    };
    compiler.of(String::new(), root)?;
    let (mut all, mut targets) = (Vec::new(), Vec::new());
    loop {
        while let Some((path, value)) = compiler.waiting.pop_front() {
            let at = all.len();
            all.push(compiler.subschema(&path, value, at)?);
        }
        // What a reference leads to may be nowhere else: then it brings more.
        let Some(Reaches { path, to }) = compiler.references.get(targets.len()).cloned() else { break };
        targets.push(compiler.target(&path, to)?);
    }
    let compiled = Compiled { all, targets };
    let places: BTreeMap<At, &String> = compiler.places.iter().map(|(path, at)| (*at, path)).collect();
    compiled.check_chains(&places)?;
    Ok(compiled)
}

impl<'v> Compiler<'v> {
    /// The place of the schema at a path, which is compiled in its turn.
    fn of(&mut self, path: String, value: &'v Value<'v>) -> Result<At, Fault> {
        if let Some(at) = self.places.get(&path) {
            return Ok(*at);
        }
        let at = self.places.len();
        if at == MAX_SUBSCHEMAS {
            return Err(Fault::new(path, format!("expected at most {MAX_SUBSCHEMAS} schemas in one")));
        }
        self.places.insert(path.clone(), at);
        self.waiting.push_back((path, value));
        Ok(at)
    }

    fn subschema(&mut self, path: &str, value: &'v Value<'v>, at: At) -> Result<Subschema, Fault> {
        match value {
            Value::Boolean(true) => Ok(Subschema::Anything),
            Value::Boolean(false) => Ok(Subschema::Nothing),
            Value::Object(fields) => self.rules(path, value, fields, at).map(Subschema::Rules),
            _ => Err(Fault::new(path, "expected a schema: an object, `true` or `false`")),
        }
    }

    fn rules(
        &mut self,
        path: &str,
        whole: &'v Value<'v>,
        fields: &'v [(Cow<'v, str>, Value<'v>)],
        at: At,
    ) -> Result<Vec<Rule>, Fault> {
        let mut rules = Vec::new();
        for (name, value) in fields {
            let here = format!("{path}/{}", escaped(name));
            self.identity(path, &here, name, value, at)?;
            rules.extend(match self.assertion(&here, name, value)? {
                None => self.applicator(&here, name, value)?,
                rule => rule,
            });
        }
        rules.extend(self.counts(path, whole)?);
        rules.extend(self.condition(path, whole)?);
        rules.extend(self.list(path, whole)?);
        rules.extend(self.contains(path, whole)?);
        rules.extend(self.object(path, whole)?);
        for (name, rule) in [
            ("unevaluatedItems", Rule::UnevaluatedItems as fn(At) -> Rule),
            ("unevaluatedProperties", Rule::UnevaluatedProperties),
        ] {
            rules.extend(self.inner(path, whole, name)?.map(rule));
        }
        Ok(rules)
    }

    /// What names a schema, or says how it is to be read.
    fn identity(&mut self, path: &str, here: &str, name: &'v str, value: &'v Value<'v>, at: At) -> Result<(), Fault> {
        if let Some((_, instead)) = OF_ANOTHER_DRAFT.iter().find(|(known, _)| *known == name) {
            // What says what is so anyway does no harm.
            return match value {
                Value::Boolean(false) => Ok(()),
                _ => Err(Fault::new(here, format!("expected {instead}: draft 2020-12 has no `{name}`"))),
            };
        }
        match (name, value.as_text()) {
            ("$schema", Some(text)) if text.trim_end_matches('#') == DRAFT => Ok(()),
            ("$schema", _) => Err(Fault::new(here, format!("expected `{DRAFT}`"))),
            ("$id", Some(_)) if path.is_empty() => Ok(()),
            ("$id", _) => Err(Fault::new(here, "expected an id of the whole schema alone, as a string")),
            ("$anchor" | "$dynamicAnchor", Some(anchor)) => match self.anchors.insert(anchor, at) {
                Some(other) if other != at => {
                    Err(Fault::new(here, "expected a name that no other schema in this one has"))
                }
                _ => Ok(()),
            },
            ("$anchor" | "$dynamicAnchor", None) => Err(Fault::new(here, "expected a string")),
            ("$defs" | "definitions", _) => self.by_name(here, value).map(drop),
            _ => Ok(()),
        }
    }

    /// A keyword that asks something of a value by itself.
    fn assertion(&mut self, here: &str, name: &str, value: &'v Value<'v>) -> Result<Option<Rule>, Fault> {
        let canonical = || value.canonical().into_owned();
        Ok(Some(match name {
            "type" => Rule::Types(types(here, value)?),
            "enum" => {
                let Value::List(all) = value else { return Err(Fault::new(here, "expected a list of values")) };
                let mut all: Vec<_> = all.iter().map(|one| one.canonical().into_owned()).collect();
                all.sort();
                Rule::Enum(all)
            }
            "const" => Rule::Const(canonical()),
            "multipleOf" => Rule::MultipleOf(number(here, value).and_then(|number| {
                let expected = format!("expected a number above 0 of at most {MAX_DIVISOR_DIGITS} digits");
                if number.is_divisor() { Ok(number) } else { Err(Fault::new(here, expected)) }
            })?),
            "maximum" => Rule::AtMost(number(here, value)?),
            "exclusiveMaximum" => Rule::Below(number(here, value)?),
            "minimum" => Rule::AtLeast(number(here, value)?),
            "exclusiveMinimum" => Rule::Above(number(here, value)?),
            "pattern" => {
                let text = value.as_text().ok_or_else(|| Fault::new(here, "expected a string"))?;
                Rule::Matches(self.pattern(here, text)?)
            }
            "uniqueItems" => match value {
                Value::Boolean(true) => Rule::Unique,
                Value::Boolean(false) => return Ok(None),
                _ => return Err(Fault::new(here, "expected `true` or `false`")),
            },
            "required" => Rule::Required(names(here, value)?),
            "dependentRequired" => {
                Rule::DependentRequired(sorted(fields(here, value)?.iter().map(|(name, value)| {
                    Ok((name.as_ref().to_owned(), names(&format!("{here}/{}", escaped(name)), value)?))
                }))?)
            }
            _ => return Ok(None),
        }))
    }

    /// A keyword that has others judge.
    fn applicator(&mut self, here: &str, name: &str, value: &'v Value<'v>) -> Result<Option<Rule>, Fault> {
        Ok(Some(match name {
            "allOf" => Rule::AllOf(self.schemas(here, value)?),
            "anyOf" => Rule::AnyOf(self.schemas(here, value)?),
            "oneOf" => Rule::OneOf(self.schemas(here, value)?),
            "not" => Rule::Not(self.of(here.to_owned(), value)?),
            "propertyNames" => Rule::PropertyNames(self.of(here.to_owned(), value)?),
            "dependentSchemas" => Rule::DependentSchemas(self.by_name(here, value)?),
            "$ref" | "$dynamicRef" => {
                let to = value.as_text().ok_or_else(|| Fault::new(here, "expected a string"))?;
                self.references.push(Reaches { path: here.to_owned(), to });
                Rule::Refer(self.references.len() - 1)
            }
            _ => return Ok(None),
        }))
    }

    fn counts(&mut self, path: &str, whole: &'v Value<'v>) -> Result<Vec<Rule>, Fault> {
        let mut rules = Vec::new();
        for (least, most, rule) in [
            ("minLength", "maxLength", Rule::Length as fn(Count) -> Rule),
            ("minItems", "maxItems", Rule::Items),
            ("minProperties", "maxProperties", Rule::Properties),
        ] {
            let count = Count { least: count(path, whole, least)?, most: count(path, whole, most)? };
            if count.least.is_some() || count.most.is_some() {
                rules.push(rule(count));
            }
        }
        Ok(rules)
    }

    fn condition(&mut self, path: &str, whole: &'v Value<'v>) -> Result<Option<Rule>, Fault> {
        let then = self.inner(path, whole, "then")?;
        let otherwise = self.inner(path, whole, "else")?;
        let condition = self.inner(path, whole, "if")?;
        Ok(condition.map(|condition| Rule::If(If { condition, then, otherwise })))
    }

    fn list(&mut self, path: &str, whole: &'v Value<'v>) -> Result<Option<Rule>, Fault> {
        let first = match whole.get("prefixItems") {
            Some(value) => self.schemas(&format!("{path}/prefixItems"), value)?,
            None => Vec::new(),
        };
        let rest = self.inner(path, whole, "items")?;
        let is_any = !first.is_empty() || rest.is_some();
        Ok(is_any.then_some(Rule::List(List { first, rest })))
    }

    fn contains(&mut self, path: &str, whole: &'v Value<'v>) -> Result<Option<Rule>, Fault> {
        let count = Count { least: count(path, whole, "minContains")?, most: count(path, whole, "maxContains")? };
        let item = self.inner(path, whole, "contains")?;
        Ok(item.map(|item| Rule::Contains(Contains { item, count })))
    }

    fn object(&mut self, path: &str, whole: &'v Value<'v>) -> Result<Option<Rule>, Fault> {
        let mut object = Object::default();
        if let Some(value) = whole.get("properties") {
            object.named = self.by_name(&format!("{path}/properties"), value)?;
        }
        if let Some(value) = whole.get("patternProperties") {
            let here = format!("{path}/patternProperties");
            for (text, value) in fields(&here, value)? {
                let place = format!("{here}/{}", escaped(text));
                let pattern = self.pattern(&place, text)?;
                object.patterns.push((pattern, self.of(place, value)?));
            }
        }
        object.rest = self.inner(path, whole, "additionalProperties")?;
        let is_any = !object.named.is_empty() || !object.patterns.is_empty() || object.rest.is_some();
        Ok(is_any.then_some(Rule::Object(object)))
    }

    /// The schema under a keyword, if it is there.
    fn inner(&mut self, path: &str, whole: &'v Value<'v>, name: &str) -> Result<Option<At>, Fault> {
        whole.get(name).map(|value| self.of(format!("{path}/{name}"), value)).transpose()
    }

    fn schemas(&mut self, here: &str, value: &'v Value<'v>) -> Result<Vec<At>, Fault> {
        match value {
            Value::List(all) if !all.is_empty() => {
                all.iter().enumerate().map(|(at, one)| self.of(format!("{here}/{at}"), one)).collect()
            }
            _ => Err(Fault::new(here, "expected a list of at least one schema")),
        }
    }

    fn by_name(&mut self, here: &str, value: &'v Value<'v>) -> Result<Vec<(String, At)>, Fault> {
        let all = fields(here, value)?
            .iter()
            .map(|(name, value)| Ok((name.as_ref().to_owned(), self.of(format!("{here}/{}", escaped(name)), value)?)));
        sorted(all)
    }

    fn pattern(&mut self, here: &str, text: &str) -> Result<Pattern, Fault> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(Fault::new(here, format!("expected at most {MAX_PATTERNS} patterns in a schema")));
        }
        Pattern::new(text).map_err(|why| Fault::new(here, format!("expected {why}")))
    }

    /// What a reference leads to, which must lie in this very schema: nothing is ever fetched.
    fn target(&mut self, path: &str, to: &'v str) -> Result<At, Fault> {
        let fault = || {
            let expected =
                "expected a reference into this very schema, such as `#/$defs/money`, that leads to a schema";
            Fault::new(path, format!("{expected}, not {}", quoted(to)))
        };
        let local = self.id.filter(|id| !id.is_empty()).and_then(|id| to.strip_prefix(id)).unwrap_or(to);
        let fragment =
            if local.is_empty() && !to.is_empty() { "" } else { local.strip_prefix('#').ok_or_else(fault)? };
        let fragment = percent_decode_str(fragment).decode_utf8().map_err(|_| fault())?;
        if fragment.is_empty() {
            return self.of(String::new(), self.root);
        }
        let Some(pointer) = fragment.strip_prefix('/') else {
            return self.anchors.get(fragment.as_ref()).copied().ok_or_else(fault);
        };
        let value = self.root.find(pointer.split('/')).ok_or_else(fault)?;
        if !matches!(value, Value::Object(_) | Value::Boolean(_)) {
            return Err(fault());
        }
        self.of(fragment.into_owned(), value)
    }
}

impl Compiled {
    /// Refuses schemas that come back to themselves at the same value, which would never end, and those that lie too deep in one another.
    fn check_chains(&self, places: &BTreeMap<At, &String>) -> Result<(), Fault> {
        // How long the longest chain from each is; nothing while it is looked for.
        let mut known: Vec<Option<usize>> = vec![None; self.all.len()];
        let mut under_way = vec![false; self.all.len()];
        for start in 0..self.all.len() {
            let mut way = vec![(start, self.all[start].at_the_same_place(&self.targets), 0)];
            under_way[start] = true;
            while let Some((at, within, next)) = way.last_mut() {
                let Some(inner) = within.get(*next).copied() else {
                    let longest = within.iter().filter_map(|one| known[*one]).max().unwrap_or_default() + 1;
                    if longest > MAX_CHAIN {
                        let expected =
                            format!("expected at most {MAX_CHAIN} schemas one inside another at the same value");
                        return Err(Fault::new(places[at].as_str(), expected));
                    }
                    (known[*at], under_way[*at]) = (Some(longest), false);
                    way.pop();
                    continue;
                };
                *next += 1;
                if under_way[inner] {
                    let expected = "expected no way back here without a step into the value: it would have no end";
                    return Err(Fault::new(places[&inner].as_str(), expected));
                }
                if known[inner].is_none() {
                    under_way[inner] = true;
                    way.push((inner, self.all[inner].at_the_same_place(&self.targets), 0));
                }
            }
        }
        Ok(())
    }
}

fn sorted<T>(all: impl Iterator<Item = Result<(String, T), Fault>>) -> Result<Vec<(String, T)>, Fault> {
    let mut all: Vec<_> = all.collect::<Result<_, _>>()?;
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(all)
}

fn fields<'v>(here: &str, value: &'v Value<'v>) -> Result<&'v [(Cow<'v, str>, Value<'v>)], Fault> {
    let Value::Object(fields) = value else { return Err(Fault::new(here, "expected an object")) };
    Ok(fields)
}

fn types(here: &str, value: &Value<'_>) -> Result<Types, Fault> {
    let fault = || Fault::new(here, format!("expected one or more of {}", Types::all()));
    let names: Vec<&Value<'_>> = match value {
        Value::List(names) if !names.is_empty() => names.iter().collect(),
        one => vec![one],
    };
    let and = |types: Types, name: &Value<'_>| types.and(name.as_text()?);
    names.into_iter().try_fold(Types::default(), and).ok_or_else(fault)
}

fn number(here: &str, value: &Value<'_>) -> Result<Number<'static>, Fault> {
    match value {
        Value::Number(number) => Ok(number.clone().into_owned()),
        _ => Err(Fault::new(here, "expected a number")),
    }
}

fn count(path: &str, whole: &Value<'_>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(value) = whole.get(name) else { return Ok(None) };
    let count = if let Value::Number(number) = value { number.count() } else { None };
    count.map(Some).ok_or_else(|| Fault::new(format!("{path}/{name}"), "expected a whole number, 0 or more"))
}

fn names(here: &str, value: &Value<'_>) -> Result<Vec<String>, Fault> {
    let fault = || Fault::new(here, "expected a list of names, each once");
    let Value::List(names) = value else { return Err(fault()) };
    let names = names.iter().map(|name| name.as_text().map(str::to_owned));
    let mut names: Vec<String> = names.collect::<Option<_>>().ok_or_else(fault)?;
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) { Err(fault()) } else { Ok(names) }
}
