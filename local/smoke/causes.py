"""Why something has not come, in words that the person who is paged can act upon: told by what the ledger has of it."""

# By an attempt's outcome.
OUTCOMES = {
    "status_401": (
        "the receiver, which is this stack itself, does not find its secret in the signature: deliver signs "
        "with another one. Either "
        "somebody has changed the webhook's secret meanwhile, or what is sealed opens as something else: was "
        "the text of the secret behind the "
        "resource EncryptionKey replaced? (docs/operations.md, 'Back-up')"
    ),
    "status_403": "something before the API refuses what deliver sends, such as a firewall in front of the domain",
    "status_404": (
        "the API's address does not lead to this stack's receiver: look at ApiDomainName, ApiDomainPath and "
        "the mapping of that domain. If the "
        "encryption key got a new entry within the last minutes, ask again"
    ),
    "status_429": "the gateway throttles: ApiCallsPerSecond is too low, or somebody floods the API "
    "(docs/limits.md, 'Calls of the API')",
    "status_500": "the API fails at it: docs/runbook/api-errors.md",
    "status_503": "Lambda turns the API's calls away, or the receiver refuses for longer than it was to: "
    "docs/runbook/throttles.md",
    "blocked": (
        "deliver may not send to the API's address: its name leads to a private address from where deliver is, or stands in "
        "DeniedTargetDomains (docs/runbook/blocked.md)"
    ),
    "dns_failed": "deliver does not find the API's name: look at the DNS alias of ApiDomainName, and in a VPC at its resolver",
    "tls_failed": "the API's certificate is not believed: look at ApiCertificateArn",
    "internal": "we failed at it ourselves: docs/runbook/deliver-errors.md",
}
UNREACHED = (
    "deliver does not reach the API's public address: in a VPC it needs a NAT gateway, and its security groups "
    "have to let HTTPS out "
    "(docs/source-addresses.md)"
)
UNANSWERED = ("connect_refused", "connect_timeout", "timed_out", "reset")


def of_event(shown: dict, function: str) -> str:
    """Of an event that has no delivery yet. `function` is fan-out's name."""
    if not shown:
        return "the event was accepted, and the API does not show it: docs/runbook/api-errors.md"
    for passed_by in shown.get("not_delivered", []):
        return f"event {shown['id']} was stored and fanned out, and its webhook was passed by: {passed_by['reason']}"
    return (
        f"event {shown['id']} is stored, and fan-out has made no delivery of it: {function} does not get it "
        f"from the events table's stream, or "
        f"fails at it (log group /aws/lambda/{function}; docs/runbook/fanout-stopped.md)"
    )


def of_delivery(delivery: dict | None, function: str) -> str:
    """Of a delivery that has not come where it should be. `function` is deliver's name."""
    if delivery is None:
        return "the ledger does not show the delivery any more: docs/runbook/api-errors.md"
    where = f"(delivery {delivery['id']}, log group /aws/lambda/{function})"
    attempts = delivery["attempts"]
    if not attempts:
        waits = f"it waits for its webhook: {delivery['waiting_for']}" if "waiting_for" in delivery else "it was not attempted"
        return (
            f"the delivery was made, and {waits}: {function} gets nothing from the deliver queue, or fails before it sends "
            f"{where}: docs/runbook/deliver-queue-behind.md"
        )
    last = attempts[-1]
    excerpt = f", and says {last['response_excerpt']!r}" if last.get("response_excerpt") else ""
    error = f" ({last['error']})" if last.get("error") else ""
    why = OUTCOMES.get(last["outcome"], UNREACHED if last["outcome"] in UNANSWERED else "docs/outcomes.md says what that is")
    reason = f", {delivery['reason']}" if delivery.get("reason") else ""
    return f"it is {delivery['status']}{reason}; attempt {len(attempts)} was {last['outcome']}{error}{excerpt}: {why} {where}"


def of_retry(delivery: dict | None, function: str, by: str) -> str:
    """Of a delivery whose retry has not come. `by` is who should have brought it."""
    if delivery is None or not delivery["attempts"] or delivery["status"] != "retrying":
        return of_delivery(delivery, function)
    return (
        f"attempt {len(delivery['attempts'])} was put off until {delivery['next_attempt_at']}, and nothing has "
        f"come since: {by} "
        f"(delivery {delivery['id']}). A sweep would bring it two minutes after that"
    )


BY_DELAY = "the retry queue does not bring it, or deliver takes nothing from there: docs/runbook/retry-queue-behind.md"


def by_scheduler(has_schedule: bool | None) -> str:
    """Why Scheduler has not brought it, by whether there is a schedule; None where nobody could look."""
    if has_schedule is None:
        return "EventBridge Scheduler has not brought it: docs/runbook/scheduler-target-errors.md"
    if has_schedule:
        return (
            "there is a schedule for it that EventBridge Scheduler has not carried out: docs/runbook/scheduler-target-errors.md"
        )
    return (
        "there is no schedule for it: deliver could not make one (CreateSchedule in its log; "
        "docs/runbook/scheduler-throttled.md), or Scheduler "
        "took it and could not send (docs/runbook/scheduler-drops.md)"
    )
