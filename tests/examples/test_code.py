"""The programs that the portal shows for verifying a webhook's requests, run as they stand: on published vectors, on requests
that the engine itself has signed, and on forged ones. What this machine has no tools for is skipped, and said to be."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
FACTS = ["cargo", "run", "--quiet", "--bin", "facts", "--", "code"]
CRATES = ("base64", "hex", "hmac", "serde_json", "sha2")

# RFC 4231, test case 2.
JEFE = {"secret": "Jefe", "body": "what do ya want for nothing?"}
# The example of Standard Webhooks' own libraries, of February 2021.
SIGNED_AT = 1614265330
PUBLISHED = {
    "body": '{"test": 2432232314}',
    "headers": {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "now": SIGNED_AT,
}

# A request, and the secrets that a receiver has.
Case = dict


def told() -> dict[str, dict]:
    """The programs and requests of every dialect; the requests are of this moment."""
    return json.loads(subprocess.run(FACTS, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout)


def written(signature: dict, digest: bytes) -> str:
    text = digest.hex() if signature["encoding"] == "hex" else base64.b64encode(digest).decode()
    return signature["prefix"] + text


def digest(key: bytes, case: Case, signature: dict) -> bytes:
    dated = [case["headers"].get((signature[name] or "").lower(), "") for name in ("id_header", "timestamp_header")]
    before = ".".join([*dated, ""]) if signature["id_header"] else ""
    return hmac.digest(key, (before + case["body"]).encode(), hashlib.sha256)


def reserialised(body: str) -> str:
    return json.dumps(json.loads(body))


def good(dialect: dict) -> dict[str, Case]:
    """What verifies."""
    secrets, requests, signature = dialect["secrets"], dialect["requests"], dialect["signature"]
    new, old, other = (secrets[name] for name in ("new", "old", "other"))
    cases = {
        "one secret": requests["new"] | {"secrets": [new]},
        "the new one of two": requests["new"] | {"secrets": [old, new]},
        "the old one of two": requests["old"] | {"secrets": [old, new]},
        "beside a setting that is empty": requests["new"] | {"secrets": ["", new]},
        "during a change, the old one": requests["rotating"] | {"secrets": [old]},
        "during a change, both": requests["rotating"] | {"secrets": [new, old]},
        "during a change, among others": requests["rotating"] | {"secrets": [other, old]},
    }
    if signature["base64_after"]:
        bare = new.removeprefix(signature["base64_after"])
        cases["the secret without its prefix"] = requests["new"] | {"secrets": [bare]}
        cases["beside what is no base64"] = requests["new"] | {"secrets": ["no base64!", "é", new]}
    else:
        unsigned = {"body": JEFE["body"], "headers": {}}
        mac = hmac.digest(JEFE["secret"].encode(), JEFE["body"].encode(), hashlib.sha256)
        if not signature["id_header"]:
            assert mac.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "as the RFC has it"
            headers = {signature["header"].lower(): written(signature, mac)}
            cases["published"] = unsigned | {"headers": headers, "secrets": [JEFE["secret"]]}
    if signature["id_header"]:
        cases["during a change, the new one"] = requests["rotating"] | {"secrets": [new]}
        header = signature["header"].lower()
        spread = f"v1a,xyz {written(signature, bytes(32))} {requests['new']['headers'][header]}"
        cases["among others' signatures"] = with_header(requests["new"], header, spread) | {"secrets": [new]}
    return cases


def with_header(request: Case, name: str, value: str | None) -> Case:
    headers = {key: text for key, text in (request["headers"] | {name: value}).items() if text is not None}
    return request | {"headers": headers}


def forged(dialect: dict) -> dict[str, Case]:
    """What does not."""
    secrets, requests, signature = dialect["secrets"], dialect["requests"], dialect["signature"]
    new, other, request = secrets["new"], secrets["other"], requests["new"]
    header = signature["header"].lower()
    unkeyed = with_header(request, header, written(signature, digest(b"", request, signature)))
    cases = {
        "another secret": request | {"secrets": [other]},
        "no secret": request | {"secrets": []},
        "no secret, and signed with none": unkeyed | {"secrets": [""]},
        "none beside another": unkeyed | {"secrets": ["", other]},
        "another byte": request | {"secrets": [new], "body": request["body"] + " "},
        "no body": request | {"secrets": [new], "body": ""},
        "printed anew": request | {"secrets": [new], "body": reserialised(request["body"])},
    }
    true = request["headers"][header]
    false = {
        "no signature": None,
        "an empty one": "",
        "zeros": written(signature, bytes(32)),
        "one that is cut off": true[:-2],
        "the beginning alone": true[:20],
        "one that goes on": true + "00",
        "letters of another alphabet": "é" * 44,
        "another one": written(signature, bytes(range(32))),
    }
    if signature["prefix"]:
        false["one without its prefix"] = true.removeprefix(signature["prefix"])
        false["its prefix alone"] = signature["prefix"]
    for about, value in false.items():
        cases[about] = with_header(request, header, value) | {"secrets": [new]}
    if signature["base64_after"]:
        text = request | {"secrets": [new]}
        cases["the secret's text as the key"] = with_header(
            text, header, written(signature, digest(new.encode(), request, signature))
        )
        cases["no base64"] = request | {"secrets": ["no base64!", new + "!", new[:-2] + "é"]}
    else:
        cases["a secret in other letters"] = request | {"secrets": [new.upper(), f" {new}"]}
    if signature["id_header"]:
        id_header, timestamp_header = signature["id_header"].lower(), signature["timestamp_header"].lower()
        for name in ("late", "early"):
            cases[f"true and too {name}"] = requests[name] | {"secrets": [new]}
        now = int(request["headers"][timestamp_header])
        for value in (None, "", "evt_2", "evt_1.", "é"):
            cases[f"id {value!r}"] = with_header(request, id_header, value) | {"secrets": [new]}
        for value in (None, "", "soon", "-1", "١٢٣", str(now + 1), f"{now}.5", "9" * 5000, f"{now}é"):
            cases[f"timestamp {value!r:.20}"] = with_header(request, timestamp_header, value) | {"secrets": [new]}
        # Signed with the true secret, so that nothing but the time speaks against it.
        key = key_of(signature, new)
        for value in ("", "0", "9" * 5000, "soon"):
            dated = with_header(request, timestamp_header, value)
            signed = with_header(dated, header, written(signature, digest(key, dated, signature)))
            cases[f"signed, and of {value!r:.20}"] = signed | {"secrets": [new]}
    return cases


def key_of(signature: dict, secret: str) -> bytes:
    after = signature["base64_after"]
    return base64.b64decode(secret.removeprefix(after)) if after else secret.encode()


def published() -> tuple[Case, ...]:
    """The example of Standard Webhooks: true at its time, and false later, and with another time's signature."""
    true = {name: PUBLISHED[name] for name in ("body", "headers", "now")} | {"secrets": [PUBLISHED["secret"]]}
    return (
        true | {"valid": True},
        true | {"valid": True, "now": SIGNED_AT + 299},
        true | {"valid": False, "now": SIGNED_AT + 301},
        true | {"valid": False, "now": SIGNED_AT - 301},
        with_header(true, "webhook-timestamp", str(SIGNED_AT + 1)) | {"valid": False},
    )


# For the type checker: a `TestCase` in earnest would be run by itself, and has no program.
if TYPE_CHECKING:
    Checks = unittest.TestCase
else:
    Checks = object


class Programs(Checks):
    """What every language has to do; a class below says how to run one."""

    tool: str
    file: str
    # Whether its program is told the time.
    told_time = False

    def drive(self, place: Path, names: list[str]) -> list[str]:
        """Writes beside the programs what runs them: reads {dialect: [case]} and prints {dialect: [verdict]}. The command."""
        raise NotImplementedError

    def setUp(self) -> None:
        if not shutil.which(self.tool):
            self.skipTest(f"needs {self.tool}: what the portal shows of {self.file} was run nowhere here")

    def verdicts(self, dialects: dict[str, dict], given: dict[str, list[Case]]) -> dict[str, list[bool]]:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for name, dialect in dialects.items():
                (place / name).mkdir()
                (place / name / self.file).write_text(dialect["programs"][self.file])
            command = self.drive(place, [*dialects])
            environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
            done = subprocess.run(
                command, cwd=place, env=environment, input=json.dumps(given), capture_output=True, text=True, check=False
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_it_tells_true_requests_from_forged_ones_and_never_crashes(self):
        dialects = told()
        self.assertGreater(len(dialects), 6)
        expected = {
            name: dict.fromkeys(good(dialect), True) | dict.fromkeys(forged(dialect), False) for name, dialect in dialects.items()
        }
        given = {name: [*good(dialect).values(), *forged(dialect).values()] for name, dialect in dialects.items()}
        said = self.verdicts(dialects, given)
        for name, verdicts in expected.items():
            self.assertGreater(len(verdicts), 20)
            self.assertEqual(dict(zip(verdicts, said[name], strict=True)), verdicts, name)

    def test_it_verifies_the_published_example(self):
        if not self.told_time:
            self.skipTest(f"{self.file} goes by the clock, and the example is of 2021")
        cases = published()
        said = self.verdicts({"standard": told()["standard"]}, {"standard": [*cases]})
        self.assertEqual(said["standard"], [case["valid"] for case in cases])


class Python(Programs, unittest.TestCase):
    tool, file, told_time = sys.executable, "verify.py", True

    def drive(self, place, names):
        program = """
import importlib, json, sys
sys.path.insert(0, "")
def verdict(name, case):
    check = getattr(importlib.import_module(f"{name}.verify"), f"is_authentic_{name}")
    now = [case["now"]] if "now" in case else []
    return check(case["body"].encode(), case["headers"], case["secrets"], *now)
print(json.dumps({name: [verdict(name, case) for case in cases] for name, cases in json.load(sys.stdin).items()}))
"""
        return [self.tool, "-c", program]


class Node(Programs, unittest.TestCase):
    tool, file, told_time = "node", "verify.mjs", True

    def drive(self, place, names):
        program = """
        import { readFileSync } from "node:fs";
        const said = {};
        for (const [name, cases] of Object.entries(JSON.parse(readFileSync(0)))) {
          const check = Object.values(await import(`${process.cwd()}/${name}/verify.mjs`))[0];
          said[name] = cases.map(({ body, headers, secrets, now }) => check(Buffer.from(body), headers, secrets, now));
        }
        console.log(JSON.stringify(said));
        """
        return ["node", "--input-type=module", "--eval", program]


class Go(Programs, unittest.TestCase):
    tool, file = "go", "verify.go"

    def drive(self, place, names):
        imports = "".join(f'\t{name} "receiver/{name}"\n' for name in names)
        checks = "".join(f'\t"{name}": {name}.IsAuthentic{name.capitalize()},\n' for name in names)
        (place / "go.mod").write_text("module receiver\n\ngo 1.19\n")
        (place / "main.go").write_text(
            f"""package main

import (
	"encoding/json"
	"net/http"
	"os"

{imports})

var checks = map[string]func([]byte, http.Header, []string) bool{{
{checks}}}

func main() {{
	var given map[string][]struct {{
		Body    string
		Headers map[string]string
		Secrets []string
	}}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {{
		panic(err)
	}}
	said := map[string][]bool{{}}
	for name, cases := range given {{
		for _, one := range cases {{
			header := http.Header{{}}
			for key, value := range one.Headers {{
				header.Set(key, value)
			}}
			said[name] = append(said[name], checks[name]([]byte(one.Body), header, one.Secrets))
		}}
	}}
	json.NewEncoder(os.Stdout).Encode(said)
}}
"""
        )
        return ["go", "run", "."]

    def test_it_is_written_as_go_is(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, dialect in told().items():
                (Path(folder) / f"{name}.go").write_text(dialect["programs"][self.file])
            done = subprocess.run(["gofmt", "-l", "-d", "."], cwd=folder, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Php(Programs, unittest.TestCase):
    tool, file = "php", "verify.php"

    def drive(self, place, names):
        (place / "main.php").write_text(
            r"""<?php
error_reporting(E_ALL);
set_error_handler(function ($level, $message) { throw new ErrorException($message); });
$said = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as $name => $cases) {
    require "$name/verify.php";
    foreach ($cases as $case) {
        $server = [];
        foreach ($case['headers'] as $key => $value) {
            $server['HTTP_' . strtoupper(str_replace('-', '_', $key))] = $value;
        }
        $said[$name][] = "is_authentic_$name"($case['body'], $server, $case['secrets']);
    }
}
echo json_encode($said);
"""
        )
        return ["php", "main.php"]


class Ruby(Programs, unittest.TestCase):
    tool, file = "ruby", "verify.rb"

    def drive(self, place, names):
        program = """
        require "json"
        said = JSON.parse($stdin.read).to_h do |name, cases|
          require "./#{name}/verify"
          [name, cases.map { |one| send("authentic_#{name}?", one["body"].b, one["headers"], one["secrets"]) }]
        end
        puts JSON.generate(said)
        """
        return ["ruby", "-W:no-experimental", "-e", program]


class Rust(Programs, unittest.TestCase):
    """With the very crates that Postrider is built with."""

    tool, file, told_time = "rustc", "verify.rs", True

    def drive(self, place, names):
        dialects = told()
        modules = "".join(f'#[path = "{name}/verify.rs"]\nmod {name};\n' for name in names)
        now = {name: ", now" if dialects[name]["signature"]["id_header"] else "" for name in names}
        checks = "".join(f'"{name}" => {name}::is_authentic_{name}(body, header, &secrets{now[name]}),\n' for name in names)
        (place / "main.rs").write_text(
            f"""use std::time::{{Duration, SystemTime, UNIX_EPOCH}};
use serde_json::{{Map, Value}};
{modules}
fn verdict(name: &str, case: &Value) -> bool {{
    let body = case["body"].as_str().unwrap().as_bytes();
    let header = |name: &str| case["headers"][name].as_str();
    let secrets: Vec<&str> = case["secrets"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let now = case["now"].as_u64().map_or_else(SystemTime::now, |at| UNIX_EPOCH + Duration::from_secs(at));
    let _ = now;
    match name {{ {checks} _ => unreachable!() }}
}}

fn main() {{
    let given: Map<String, Value> = serde_json::from_reader(std::io::stdin()).unwrap();
    let said = |(name, cases): (&String, &Value)| {{
        let verdicts: Vec<Value> = cases.as_array().unwrap().iter().map(|case| verdict(name, case).into()).collect();
        (name.clone(), Value::from(verdicts))
    }};
    println!("{{}}", Value::from_iter(given.iter().map(said)));
}}
"""
        )
        built = place / "receiver"
        compile_it = ["rustc", "--edition", "2024", "-D", "warnings", "-o", str(built), *crates(), str(place / "main.rs")]
        # There the compiler is the one that the crates are compiled by.
        done = subprocess.run(compile_it, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [str(built)]


def crates() -> list[str]:
    """What tells the compiler where the crates are."""
    build = ["cargo", "build", "--workspace", "--quiet", "--bin", "facts", "--message-format", "json"]
    lines = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    built = [line for line in map(json.loads, lines) if line["reason"] == "compiler-artifact"]
    files = [(line["target"]["name"], Path(line["filenames"][0])) for line in built if line["target"]["name"] in CRATES]
    # Some are compiled twice: once more for what runs while others are compiled.
    folder = next(file.parent for name, file in files if name == "hmac")
    found = {name: file for name, file in files if file.parent == folder}
    assert found.keys() == set(CRATES), found
    externs = [option for name, file in found.items() for option in ("--extern", f"{name}={file}")]
    return [*externs, "-L", f"dependency={folder}"]


class Pages(unittest.TestCase):
    def test_what_the_page_for_receivers_has_is_what_the_portal_shows(self):
        programs = told()["standard"]["programs"]
        for name in ("verify.go", "verify.php", "verify.rb"):
            self.assertEqual((EXAMPLES / name).read_text(), programs[name], f"docs/examples/{name}")


if __name__ == "__main__":
    unittest.main()
