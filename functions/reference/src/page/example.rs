//! How an operation is called, as programs that run as they are printed.

use std::fmt::Write as _;

use serde_json::Value;

/// A call.
pub(super) struct Example<'a> {
    pub(super) method: String,
    /// As the document has it, with `{…}` where something is named.
    pub(super) path: &'a str,
    /// How the key is sent; nothing where there is none.
    pub(super) scheme: Option<&'a String>,
    pub(super) body: Option<&'a Value>,
}

/// The variable of the environment that has what a path names: `JOB_ID` of `jobId`.
pub(super) fn variable(name: &str) -> String {
    let mut variable = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            variable.push('_');
        }
        variable.extend(letter.to_uppercase());
    }
    variable
}

impl Example<'_> {
    /// The path, each of whose variables is written so.
    fn path(&self, written: impl Fn(&str) -> String) -> String {
        let mut path = String::new();
        for (at, part) in self.path.split(['{', '}']).enumerate() {
            path += &if at % 2 == 0 { part.to_owned() } else { written(&variable(part)) };
        }
        path
    }

    /// The header that the key goes into, and what stands before the key.
    fn key(&self) -> Option<(&'static str, &'static str)> {
        self.scheme.map(|scheme| if scheme == "keyInHeader" { ("X-Api-Key", "") } else { ("Authorization", "Bearer ") })
    }

    pub(super) fn in_curl(&self) -> String {
        let mut program = String::from("curl --silent --show-error --fail-with-body");
        if self.method != "GET" {
            // Writing to a string cannot fail, here and below.
            let _ = write!(program, " --request {}", self.method);
        }
        let _ = write!(program, " \"$API{}\"", self.path(|name| format!("${name}")));
        if let Some((header, before)) = self.key() {
            let _ = write!(program, " \\\n  --header \"{header}: {before}$KEY\"");
        }
        if let Some(body) = self.body {
            let json = pretty(body).replace('\'', r"'\''");
            let _ = write!(program, " \\\n  --header 'Content-Type: application/json' \\\n  --data '{json}'");
        }
        program
    }

    pub(super) fn in_python(&self) -> String {
        let mut headers = String::new();
        if let Some((header, before)) = self.key() {
            let before = if before.is_empty() { String::new() } else { format!("\"{before}\" + ") };
            let _ = write!(headers, "\n        \"{header}\": {before}environ[\"KEY\"],");
        }
        if self.body.is_some() {
            headers += "\n        \"Content-Type\": \"application/json\",";
        }
        let imports = if self.body.is_some() { "import json\n" } else { "" };
        let mut url = format!("environ[\"API\"] + \"{}\"", self.path(|name| format!("\" + environ[\"{name}\"] + \"")));
        url = url.strip_suffix(" + \"\"").map_or(url.clone(), str::to_owned);
        let mut program = format!(
            "{imports}from os import environ\nfrom urllib.request import Request, urlopen\n\nrequest = Request(\n    {url},\n    method=\"{}\",\n",
            self.method
        );
        if !headers.is_empty() {
            let _ = writeln!(program, "    headers={{{headers}\n    }},");
        }
        if let Some(body) = self.body {
            let _ = writeln!(program, "    data=json.dumps({}).encode(),", in_pythons_words(body, 1));
        }
        program + ")\nwith urlopen(request) as answer:\n    print(answer.read().decode())"
    }

    pub(super) fn in_node(&self) -> String {
        let mut options = String::new();
        if self.method != "GET" {
            let _ = write!(options, "\n  method: '{}',", self.method);
        }
        let mut headers = Vec::new();
        match self.key() {
            Some((header, "")) => headers.push(format!("'{header}': process.env.KEY")),
            Some((header, before)) => headers.push(format!("{header}: `{before}${{process.env.KEY}}`")),
            None => {}
        }
        if self.body.is_some() {
            headers.push("'Content-Type': 'application/json'".to_owned());
        }
        if !headers.is_empty() {
            let _ = write!(options, "\n  headers: {{ {} }},", headers.join(", "));
        }
        if let Some(body) = self.body {
            let _ = write!(options, "\n  body: JSON.stringify({}),", pretty(body).replace('\n', "\n  "));
        }
        let options = if options.is_empty() { options } else { format!(", {{{options}\n}}") };
        let path = self.path(|name| format!("${{process.env.{name}}}"));
        format!(
            "const answer = await fetch(`${{process.env.API}}{path}`{options});\nconst told = await answer.text();\n\
             if (!answer.ok) throw new Error(`${{answer.status}} ${{told}}`);\nconsole.log(told);"
        )
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A value as Python writes it; its texts are JSON's.
fn in_pythons_words(value: &Value, depth: usize) -> String {
    let line = |depth: usize| format!("\n{}", "    ".repeat(depth));
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(all) => {
            let all: Vec<_> = all.iter().map(|one| in_pythons_words(one, depth)).collect();
            format!("[{}]", all.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let mut written = String::from("{");
            for (name, value) in fields {
                let name = Value::from(name.as_str());
                written += &format!("{}{name}: {},", line(depth + 1), in_pythons_words(value, depth + 1));
            }
            written + &line(depth) + "}"
        }
        other => other.to_string(),
    }
}
