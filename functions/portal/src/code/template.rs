//! Templates of programs: lines that stand there under a condition, and names in whose place something stands.
//!
//! `%if name`, `%else` and `%end` have a line each; `{{name}}` stands anywhere.

/// A template, filled. What nobody knows stays as it stands, where a test finds it.
pub(super) fn filled(
    template: &str,
    is: impl Fn(&str) -> Option<bool>,
    said: impl Fn(&str) -> Option<String>,
) -> String {
    let mut text = String::new();
    // Whether each condition around a line holds, the outermost first.
    let mut conditions: Vec<bool> = Vec::new();
    for line in template.lines() {
        let (begins, is_within) = (line.strip_prefix("%if ").and_then(&is), !conditions.is_empty());
        match line {
            _ if begins.is_some() => conditions.extend(begins),
            "%else" if is_within => {
                let holds = conditions.pop();
                conditions.extend(holds.map(|holds| !holds));
            }
            "%end" if is_within => drop(conditions.pop()),
            _ if conditions.contains(&false) => {}
            _ => {
                put(line, &said, &mut text);
                text.push('\n');
            }
        }
    }
    text
}

fn put(line: &str, said: impl Fn(&str) -> Option<String>, text: &mut String) {
    let mut rest = line;
    while let Some((before, name, after)) = next_name(rest) {
        text.push_str(before);
        match said(name) {
            Some(words) => text.push_str(&words),
            None => text.extend(["{{", name, "}}"]),
        }
        rest = after;
    }
    text.push_str(rest);
}

/// What stands before the first name, the name, and what stands behind it.
fn next_name(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(template: &str) -> String {
        let is = |name: &str| match name {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        filled(template, is, |name| (name == "a").then(|| "{{b}}".to_owned()))
    }

    #[test]
    fn lines_stand_where_their_conditions_hold() {
        assert_eq!(of("1\n%if yes\n2\n%else\n3\n%end\n4"), "1\n2\n4\n");
        assert_eq!(of("%if no\n%if yes\n1\n%else\n2\n%end\n%else\n3\n%end"), "3\n");
    }

    #[test]
    fn what_is_put_there_is_not_read_again() {
        assert_eq!(of("x{{a}}{{a}}y"), "x{{b}}{{b}}y\n");
    }

    #[test]
    fn what_nobody_knows_is_left_to_be_found() {
        assert_eq!(of("{{c}} {{"), "{{c}} {{\n");
        assert_eq!(of("%if what\n1\n%end\n%else"), "%if what\n1\n%end\n%else\n");
    }
}
