//! The numbers that others rely on: the functions' time-outs, the queues, the retention, the pages. Times are in seconds.

use postrider_aws::recoverer;
use postrider_domain::attempt::SLOWEST_TIMEOUT;
use postrider_domain::dialect::{longest_own_retry_schedule, longest_retry_schedule};
use postrider_domain::endpoint::MAX_PATTERNS;
use postrider_domain::{quota, rate_limit, retry};
use serde_json::{Value, json};

pub(crate) fn by_name() -> Value {
    json!({
        "attempt.slowest_timeout": SLOWEST_TIMEOUT.as_secs(),
        "endpoint.most_patterns": MAX_PATTERNS,
        "quota.retries_at_once": quota::RETRIES_AT_ONCE,
        "rate_limit.most": rate_limit::MOST,
        "rate_limit.longest_delay": rate_limit::LONGEST_DELAY.as_secs(),
        "retry.max_internal": retry::MAX_INTERNAL,
        "retry.max_retries": retry::MAX_RETRIES,
        "retry.max_retry_after": retry::MAX_RETRY_AFTER.as_secs(),
        "retry.horizon": longest_retry_schedule(),
        "retry.own_horizon": longest_own_retry_schedule(i64::MAX),
        "deliver.margin": deliver::batch::MARGIN.as_secs(),
        "deliver.threads": deliver::send_pool::THREADS,
        "sweep.grace": sweep::pace::GRACE.as_secs(),
        "sweep.backlog": sweep::pace::BACKLOG,
        "sweep.page": sweep::overdue::FOR_A_PAGE.as_secs(),
        "sweep.dead_letters": sweep::dead_letters::RESERVE.as_secs(),
        "sweep.deletion_page": sweep::deletions::FOR_A_PAGE.as_secs(),
        "sweep.recovery_page": recoverer::FOR_A_PAGE.as_secs(),
        "fanout.first_wait": fanout::unfinished::FIRST_WAIT,
        "fanout.longest_wait": fanout::unfinished::LONGEST_WAIT,
        "fanout.redrive": fanout::redrive::RESERVE.as_secs(),
    })
}
