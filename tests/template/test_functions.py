"""The functions: how they are built, what they are told, where they write."""

import json
import re
import unittest

from calls import settings
from facts import routes
from template import FUNCTIONS, ROOT, Template, on_aws

# What an HTTP API waits for an integration at the most, and what answers over it.
GATEWAY_LIMIT = 30
API_FUNCTIONS = (*routes(), "portal")


class Functions(unittest.TestCase):
    def setUp(self):
        self.template = Template()

    def test_the_template_has_every_function_and_no_other(self):
        programs = {path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")}
        self.assertEqual(programs, set(FUNCTIONS), "a program without a function, or without a check here")
        found = set(self.template.of_type("AWS::Serverless::Function"))
        self.assertEqual(found, {f"{name.capitalize()}Function" for name in FUNCTIONS})

    def test_each_function_is_its_own_program_built_from_the_workspace(self):
        for name in FUNCTIONS:
            with self.subTest(function=name):
                metadata = self.template.resources[f"{name.capitalize()}Function"]["Metadata"]
                self.assertEqual(metadata["BuildMethod"], "rust-cargolambda")
                self.assertEqual(metadata["BuildProperties"], {"Binary": name})
                self.assertEqual(self.template.function(name)["CodeUri"], ".", "dependencies would be compiled again")

    def test_a_stack_whose_name_has_as_many_characters_as_the_page_says_can_be_deployed(self):
        (longest,) = re.findall(r"^\| 41 to (\d+) \|", (ROOT / "docs" / "aws.md").read_text(), re.MULTILINE)
        for name in FUNCTIONS:
            written = self.template.function(name)["FunctionName"]["Fn::Sub"]
            with self.subTest(function=name):
                self.assertLessEqual(
                    int(longest), 64 - len(written.removeprefix("${AWS::StackName}")), "Lambda takes no longer name"
                )

    def test_the_processor_is_a_parameter(self):
        self.assertEqual(self.template.globals["Architectures"], [{"Ref": "CpuArch"}])
        self.assertEqual(self.template.all["Parameters"]["CpuArch"]["Default"], "arm64", "the cheaper one")

    def test_every_name_that_a_program_reads_is_given(self):
        given = {name for function in FUNCTIONS for name in self.template.environment(function)["Variables"]}
        # The level of the log is the programs' own where nobody sets one.
        missing = settings() - given - {"RUST_LOG"}
        self.assertFalse(missing, f"a function would not start without {sorted(missing)}")

    def test_whoever_connects_or_promises_to_knows_all_limits(self):
        limits = {"PRIVATE_TARGETS", "ALLOWED_TARGET_CIDRS", "DENIED_TARGET_DOMAINS"}
        for name in ("webhooks", "jobs", "deliver"):
            self.assertLessEqual(limits, set(self.template.environment(name)["Variables"]), f"{name} would not start")

    def test_the_admin_key_is_named_to_what_is_the_operators_alone(self):
        told = {name for name in FUNCTIONS if "ADMIN_KEY_SECRET" in self.template.environment(name)["Variables"]}
        self.assertEqual(told, {"tenants", "catalogue"})

    def test_whoever_takes_events_in_knows_whether_their_types_are_closed(self):
        told = {name for name in FUNCTIONS if "EVENT_TYPES" in self.template.environment(name)["Variables"]}
        self.assertEqual(told, {"events", "fanout", "webhooks"}, "one door would stand open, or a name be read by nobody")

    def test_the_emulator_is_nowhere_in_the_template(self):
        # What an address given by an operator may look like is no address.
        text = re.sub(r"^ +AllowedPattern: >-\n.*\n", "", self.template.text, flags=re.MULTILINE)
        for word in ("AWS_ENDPOINT_URL", "localhost", "127.0.0.1", "SSL_CERT_FILE"):
            self.assertNotIn(word, text, "what is deployed locally must be what is deployed to AWS")

    def test_every_function_logs_to_a_group_that_forgets(self):
        for name in FUNCTIONS:
            with self.subTest(function=name):
                logging = self.template.function(name)["LoggingConfig"]
                self.assertEqual(logging, {"LogFormat": "JSON", "LogGroup": {"Ref": f"{name.capitalize()}Log"}})
                group = self.template.properties(f"{name.capitalize()}Log")
                self.assertEqual(group["RetentionInDays"], {"Ref": "LogRetentionDays"}, "logs are kept, and billed, for ever")

    def test_api_functions_answer_before_the_gateway_gives_up(self):
        for name in API_FUNCTIONS:
            self.assertLess(self.template.function(name)["Timeout"], GATEWAY_LIMIT, name)

    def test_each_function_is_told_how_long_it_may_run(self):
        for name in FUNCTIONS:
            told = self.template.environment(name)["Variables"]["TIMEOUT_SECONDS"]
            self.assertEqual(told, str(self.template.function(name)["Timeout"]), f"{name}: a wrong clock would end it early")

    def test_the_sweep_runs_every_few_minutes(self):
        parameter = self.template.all["Parameters"]["SweepMinutes"]
        self.assertEqual((parameter["MinValue"], parameter["MaxValue"]), (2, 5), "how long a lost schedule goes unnoticed")
        timer = self.template.properties("SweepTimer")
        self.assertEqual(timer["ScheduleExpression"], {"Fn::Sub": "rate(${SweepMinutes} minutes)"})
        self.assertEqual(timer["Targets"][0]["Arn"], {"Fn::GetAtt": ["SweepFunction", "Arn"]})

    def test_what_may_invoke_a_function_is_this_stacks_own(self):
        for name, permission in self.template.of_type("AWS::Lambda::Permission").items():
            self.assertIn("SourceArn", permission["Properties"], f"{name}: anybody's API or rule could invoke it")


class Api(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.routes = [r["Properties"] for r in self.template.of_type("AWS::ApiGatewayV2::Route").values()]

    def test_no_browser_may_call_it_from_a_page(self):
        properties = self.template.properties("Api")
        self.assertNotIn("CorsConfiguration", properties, "a page that calls it shows its key to whoever opens it")

    def test_functions_get_the_format_that_they_read(self):
        for name, integration in self.template.of_type("AWS::ApiGatewayV2::Integration").items():
            self.assertEqual(integration["Properties"]["PayloadFormatVersion"], "2.0", name)

    def test_every_route_takes_any_method(self):
        for route in self.routes:
            key = route["RouteKey"]
            self.assertTrue(
                key == "$default" or key.startswith("ANY /"),
                f"{key}: say ANY for all methods; the gateway would answer the others itself, in a shape that is not ours",
            )

    def test_every_route_leads_to_a_function_that_the_api_may_invoke(self):
        for route in self.routes:
            with self.subTest(route=route["RouteKey"]):
                integration = route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
                function = self.template.properties(integration)["IntegrationUri"]["Fn::GetAtt"][0]
                permitted = [
                    p["Properties"]["FunctionName"]
                    for p in self.template.of_type("AWS::Lambda::Permission").values()
                    if p["Properties"]["Principal"] == "apigateway.amazonaws.com"
                ]
                self.assertIn({"Ref": function}, permitted, "the caller would get the gateway's 500")

    def test_the_stage_waits_for_every_route(self):
        routes = self.template.of_type("AWS::ApiGatewayV2::Route")
        waits = set(self.template.resources["ApiStage"]["DependsOn"])
        self.assertEqual(waits, set(routes), "a first call would meet the gateway's own 404")

    def test_the_access_log_says_what_the_gateway_answered_and_not_who_asked(self):
        self.assertNotIn("AccessLogSettings", on_aws(self.template.properties("ApiStage")), "logs cost, so they are a choice")
        log = on_aws(self.template.properties("ApiStage"), "ApiCallsAreLogged")["AccessLogSettings"]
        self.assertEqual(log["DestinationArn"], {"Fn::GetAtt": ["ApiLog", "Arn"]})
        line = json.loads(log["Format"])
        self.assertLessEqual({"requestId", "route", "status", "functionStatus", "error"}, set(line))
        for value in line.values():
            self.assertRegex(value, r"^\$context\.[A-Za-z.]+$", "it would say the same of every call")
            self.assertNotRegex(value, "identity|path|header|authorizer", "it would tell on callers, and of ids in paths")

    def test_an_operators_domain_leads_to_the_stage(self):
        mapping = self.template.properties("ApiDomainMapping")
        self.assertEqual(mapping["Stage"], {"Ref": "ApiStage"})
        self.assertNotIn("ApiMappingKey", on_aws(mapping), "the API is at the root of its name")
        self.assertEqual(on_aws(mapping, "HasOwnPath")["ApiMappingKey"], {"Ref": "ApiDomainPath"})
        url = self.template.all["Outputs"]["ApiUrl"]["Value"]
        self.assertEqual(on_aws(url), {"Fn::GetAtt": ["Api", "ApiEndpoint"]})
        self.assertEqual(on_aws(url, "HasOwnDomain"), {"Fn::Sub": "https://${ApiDomainName}"})
        under_a_path = on_aws(url, "HasOwnDomain", "HasOwnPath")
        self.assertEqual(under_a_path, {"Fn::Sub": "https://${ApiDomainName}/${ApiDomainPath}"})

    def test_what_calls_or_looks_up_webhooks_runs_in_the_operators_network(self):
        network = {
            "SubnetIds": {"Fn::Split": [",", {"Ref": "VpcSubnetIds"}]},
            "SecurityGroupIds": {"Fn::Split": [",", {"Ref": "VpcSecurityGroupIds"}]},
        }
        for name in FUNCTIONS:
            with self.subTest(function=name):
                function = self.template.function(name)
                self.assertNotIn("VpcConfig", on_aws(function))
                inside = "ALLOWED_TARGET_CIDRS" in function["Environment"]["Variables"]
                self.assertEqual(on_aws(function, "IsInVpc").get("VpcConfig"), network if inside else None)

    def test_no_path_is_routed_twice(self):
        keys = [route["RouteKey"] for route in self.routes]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertIn("$default", keys, "an unknown path would get the gateway's own 404")


if __name__ == "__main__":
    unittest.main()
