//! A chart of what became of a webhook's deliveries: bars of those that were delivered above a line, and of those that failed below it, so
//! that nobody needs colours to tell them apart. What it shows, a sentence says, and a table has it in numbers.
//!
//! A picture is drawn in units of its own and stretched to the page's width, so no text stands in it.

use maud::{Markup, html};

use crate::answers::{Attempt, Bucket, Stats};
use crate::texts::Texts;
use crate::texts::ledger;
use crate::time;

/// The picture's width and height, in its own units.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 120.0;
/// A bar that stands for anything at all is as high as that.
const LEAST: f64 = 2.0;
/// Of a bucket's width, what is left empty between bars.
const GAP: f64 = 0.15;
/// Outcomes that are listed; the API knows a few, and any status.
const MOST_OUTCOMES: usize = 12;

/// What came to an attempt that went well.
const SUCCEEDED: &str = "succeeded";

/// A bucket as it is drawn: from the line up, and from the line down.
#[derive(Debug, PartialEq)]
struct Bar {
    x: f64,
    width: f64,
    up: f64,
    down: f64,
}

/// The bars of these buckets, and how far from the top the line is.
fn bars(buckets: &[Bucket]) -> (Vec<Bar>, f64) {
    let most = |of: fn(&Bucket) -> u64| buckets.iter().map(of).max().unwrap_or_default() as f64;
    let (above, below) = (most(|bucket| bucket.succeeded), most(|bucket| bucket.failed));
    let room = HEIGHT - 2.0 * LEAST;
    let unit = if above + below > 0.0 { room / (above + below) } else { 0.0 };
    let line = LEAST + above * unit;
    let height = |count: u64| if count == 0 { 0.0 } else { (count as f64 * unit).max(LEAST) };
    let step = WIDTH / (buckets.len().max(1) as f64);
    let bar = |(at, bucket): (usize, &Bucket)| Bar {
        x: at as f64 * step + step * GAP / 2.0,
        width: step * (1.0 - GAP),
        up: height(bucket.succeeded),
        down: height(bucket.failed),
    };
    (buckets.iter().enumerate().map(bar).collect(), line)
}

/// A number as SVG takes it, without a tail that nobody sees.
fn number(value: f64) -> String {
    format!("{value:.2}")
}

/// The chart with its table. Its ids begin with `chart`, so a page has one.
pub(crate) fn outcomes_in_time(texts: &Texts, stats: &Stats) -> Markup {
    let words = &texts.chart;
    let sum = |of: fn(&Bucket) -> u64| stats.buckets.iter().map(of).fold(0, u64::saturating_add);
    let (succeeded, failed) = (sum(|bucket| bucket.succeeded), sum(|bucket| bucket.failed));
    let describes = (words.describes)(succeeded, failed, &time::utc(stats.since), &time::utc(stats.until));
    html! {
        // Of nothing there is nothing to see; in words it is said elsewhere.
        @if succeeded.saturating_add(failed) > 0 {
            figure.chart {
                (picture(texts, &stats.buckets, &describes))
                p.axis { span { (time::shown(stats.buckets.first().map_or(stats.since, |bucket| bucket.from))) } span { (time::shown(stats.until)) } }
                figcaption {
                    span.key.up { (words.delivered) " " b { (succeeded) } } " "
                    span.key.down { (words.failed) " " b { (failed) } }
                    @if !stats.complete { p { ((words.newest)(stats.seen)) } }
                }
            }
            (table(texts, &stats.buckets))
        }
    }
}

fn picture(texts: &Texts, buckets: &[Bucket], describes: &str) -> Markup {
    let (bars, line) = bars(buckets);
    html! {
        svg role="img" aria-labelledby="chart-title chart-text" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
            title #chart-title { (texts.chart.title) }
            desc #chart-text { (describes) }
            @for (bar, bucket) in bars.iter().zip(buckets) {
                @if bar.up + bar.down > 0.0 {
                    g {
                        title { ((texts.chart.bucket)(&time::utc(bucket.from), bucket.succeeded, bucket.failed)) }
                        @if bar.up > 0.0 {
                            rect.up x=(number(bar.x)) y=(number(line - bar.up)) width=(number(bar.width)) height=(number(bar.up)) {}
                        }
                        @if bar.down > 0.0 {
                            rect.down x=(number(bar.x)) y=(number(line)) width=(number(bar.width)) height=(number(bar.down)) {}
                        }
                    }
                }
            }
            line x1="0" x2=(WIDTH) y1=(number(line)) y2=(number(line)) {}
        }
    }
}

/// The same as a picture of its own, small and without words: what is in it says whoever shows it. A picture knows nothing of its page's
/// colours, so these are seen on a light page and on a dark one.
pub(crate) fn strip(texts: &Texts, stats: &Stats) -> Markup {
    let (bars, line) = bars(&stats.buckets);
    let line = if bars.iter().any(|bar| bar.up + bar.down > 0.0) { line } else { HEIGHT / 2.0 };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
            title { (texts.chart.title) }
            @for bar in bars {
                @if bar.up > 0.0 {
                    rect fill="#2c9957" x=(number(bar.x)) y=(number(line - bar.up)) width=(number(bar.width)) height=(number(bar.up)) {}
                }
                @if bar.down > 0.0 {
                    rect fill="#e0484f" x=(number(bar.x)) y=(number(line)) width=(number(bar.width)) height=(number(bar.down)) {}
                }
            }
            line stroke="#7d8794" stroke-width="2" x1="0" x2=(WIDTH) y1=(number(line)) y2=(number(line)) {}
        }
    }
}

fn table(texts: &Texts, buckets: &[Bucket]) -> Markup {
    let words = &texts.chart;
    html! {
        details {
            summary { (words.as_table) }
            div.wide {
                table {
                    caption { (words.title) }
                    thead { tr { th scope="col" { (words.from) } th scope="col" { (words.delivered) } th scope="col" { (words.failed) } } }
                    tbody {
                        @for bucket in buckets.iter().filter(|bucket| bucket.succeeded + bucket.failed > 0) {
                            tr { th scope="row" { (time::shown(bucket.from)) } td { (bucket.succeeded) } td { (bucket.failed) } }
                        }
                    }
                }
            }
        }
    }
}

/// What last attempts came to, the most frequent first. `link` leads to the deliveries of an outcome.
pub(crate) fn outcomes(texts: &Texts, stats: &Stats, link: impl Fn(&str) -> String) -> Markup {
    let words = &texts.chart;
    let mut counted: Vec<_> = stats.outcomes.iter().collect();
    counted.sort_by(|(one, count), (two, other)| other.cmp(count).then(one.cmp(two)));
    let all = counted.iter().map(|(_, count)| **count).fold(0, u64::saturating_add);
    html! {
        div.wide {
            table {
                caption { (words.outcomes) }
                thead { tr { th scope="col" { (words.outcome) } th scope="col" { (words.count) } th.share scope="col" { (words.share) } } }
                tbody {
                    @for (outcome, count) in counted.into_iter().take(MOST_OUTCOMES) {
                        tr {
                            th scope="row" { a href=(link(outcome)) { (outcome_in_words(texts, outcome)) } }
                            td { (count) }
                            td.share { (share(*count, all, outcome == SUCCEEDED)) }
                        }
                    }
                }
            }
        }
    }
}

/// How long last attempts took.
pub(crate) fn durations(texts: &Texts, stats: &Stats) -> Markup {
    let words = &texts.chart;
    let (p50, p95) = (stats.duration_ms.p50, stats.duration_ms.p95);
    html! {
        @if let (Some(p50), Some(p95)) = (p50, p95) {
            div.wide {
                table {
                    caption { (words.durations) }
                    thead { tr { td {} th scope="col" { (words.duration) } td.share {} } }
                    tbody {
                        @for (about, millis) in [(words.half, p50), (words.most, p95)] {
                            tr { th scope="row" { (about) } td { (millis) " ms" } td.share { (share(millis, p95.max(p50), true)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A bar as long as a part of the whole is; the number stands beside it.
fn share(part: u64, whole: u64, is_good: bool) -> Markup {
    let long = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    html! {
        svg.share aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none" {
            rect.up[is_good].down[!is_good] width=(number(long)) height="8" {}
        }
    }
}

/// An outcome as people call it: a status as HTTP does, anything else that failed with its own name beside, by which it is looked for.
pub(crate) fn outcome_in_words(texts: &Texts, outcome: &str) -> Markup {
    if let Some(status) = ledger::status_in_words(outcome) {
        return html! { (status) };
    }
    let name = ledger::code(outcome).map(texts.ledger.outcome_name);
    html! { @match name { Some(name) if outcome == SUCCEEDED => (name), Some(name) => { (name) " " code { (outcome) } }, None => code { (outcome) } } }
}

/// The same of an attempt, where its delivery's own status stands beside: what was answered, if anything was.
pub(crate) fn answer_in_words(texts: &Texts, attempt: &Attempt) -> Markup {
    let answered = attempt.status_code.filter(|_| attempt.outcome == SUCCEEDED);
    match answered.and_then(|status| ledger::status_in_words(&format!("status_{status}"))) {
        Some(status) => html! { (status) },
        None => outcome_in_words(texts, &attempt.outcome),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::answers::Durations;
    use crate::texts::Language;

    fn bucket(hour: i64, succeeded: u64, failed: u64) -> Bucket {
        Bucket { from: Timestamp::from_second(hour * 3600).unwrap(), succeeded, failed }
    }

    fn stats(buckets: Vec<Bucket>, outcomes: &[(&str, u64)]) -> Stats {
        Stats {
            since: Timestamp::UNIX_EPOCH,
            until: Timestamp::from_second(86_400).unwrap(),
            deliveries: BTreeMap::new(),
            outcomes: outcomes.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            success_rate: None,
            duration_ms: Durations { p50: Some(120), p95: Some(840) },
            buckets,
            seen: 2_000,
            complete: true,
        }
    }

    #[test]
    fn bars_stand_on_one_line_and_fill_the_picture() {
        let (bars, line) = bars(&[bucket(0, 30, 0), bucket(1, 0, 10), bucket(2, 0, 0), bucket(3, 15, 5)]);
        let unit = (HEIGHT - 2.0 * LEAST) / 40.0;
        assert!((line - LEAST - 30.0 * unit).abs() < 1e-9);
        let heights: Vec<_> = bars.iter().map(|bar| (bar.up / unit, bar.down / unit)).collect();
        for ((up, down), expected) in heights.iter().zip([(30.0, 0.0), (0.0, 10.0), (0.0, 0.0), (15.0, 5.0)]) {
            assert!((up - expected.0).abs() < 1e-9 && (down - expected.1).abs() < 1e-9, "{up} {down} {expected:?}");
        }
        assert!(bars.windows(2).all(|two| two[0].x + two[0].width < two[1].x), "none covers another");
        assert!(bars.iter().all(|bar| bar.x >= 0.0 && bar.x + bar.width <= WIDTH));
    }

    #[test]
    fn one_failure_among_a_million_is_seen_and_stays_in_the_picture() {
        for buckets in
            [vec![bucket(0, 1_000_000, 1)], vec![bucket(0, 1, 1_000_000)], vec![bucket(0, u64::MAX, u64::MAX)]]
        {
            let (bars, line) = bars(&buckets);
            assert!(bars[0].up >= LEAST && bars[0].down >= LEAST);
            assert!(line - bars[0].up >= -1e-6 && line + bars[0].down <= HEIGHT + 1e-6, "{:?} {line}", bars[0]);
        }
    }

    #[test]
    fn nothing_at_all_is_no_chart_and_a_line_among_others() {
        assert_eq!(bars(&[]).0, []);
        let nothing = stats(vec![bucket(0, 0, 0)], &[]);
        assert_eq!(outcomes_in_time(Language::English.texts(), &nothing).into_string(), "");
        let drawn = strip(Language::English.texts(), &nothing).into_string();
        assert!(drawn.contains("<line ") && !drawn.contains("<rect"), "{drawn}");
        let none = stats(Vec::new(), &[]);
        let drawn = durations(Language::English.texts(), &Stats { duration_ms: Durations::default(), ..none });
        assert_eq!(drawn.into_string(), "");
    }

    #[test]
    fn what_is_drawn_is_said_in_words_and_in_a_table() {
        let stats = stats(vec![bucket(0, 40, 1), bucket(1, 0, 0)], &[]);
        let drawn = outcomes_in_time(Language::English.texts(), &stats).into_string();
        assert!(drawn.contains("role=\"img\" aria-labelledby=\"chart-title chart-text\""));
        assert!(drawn.contains("<title id=\"chart-title\">What became of the events</title>"));
        assert!(drawn.contains("1970-01-02 00:00:00 UTC, 40 were delivered and 1 have failed.</desc>"), "{drawn}");
        assert!(drawn.contains("<td>40</td><td>1</td>") && drawn.matches("scope=\"row\"").count() == 1);
        assert!(!drawn.contains(" style="), "no policy takes that");
        let german = outcomes_in_time(Language::German.texts(), &Stats { complete: false, ..stats }).into_string();
        assert!(german.contains("40 zugestellt, 1 gescheitert") && german.contains("die neuesten 2000"), "{german}");
    }

    #[test]
    fn a_picture_of_its_own_has_the_same_bars_and_loads_nothing() {
        let drawn =
            strip(Language::English.texts(), &stats(vec![bucket(0, 40, 1), bucket(1, 0, 0)], &[])).into_string();
        assert!(
            drawn.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && drawn.matches("<rect").count() == 2,
            "{drawn}"
        );
        assert!(!drawn.contains("href") && !drawn.contains("style") && !drawn.contains("script"), "{drawn}");
    }

    #[test]
    fn outcomes_are_listed_by_how_frequent_they_are_and_lead_to_theirs() {
        let stats = stats(Vec::new(), &[("status_500", 12), ("succeeded", 961), ("timed_out", 12)]);
        let listed = outcomes(Language::English.texts(), &stats, |outcome| format!("?outcome={outcome}")).into_string();
        let at = |text: &str| listed.find(text).unwrap_or_else(|| panic!("{text}: {listed}"));
        assert!(
            at("outcome=succeeded") < at("outcome=status_500") && at("outcome=status_500") < at("outcome=timed_out")
        );
        for words in
            [">delivered</a>", ">500 Internal Server Error</a>", ">no answer in time <code>timed_out</code></a>"]
        {
            assert!(listed.contains(words), "{words}: {listed}");
        }
    }

    #[test]
    fn whatever_an_outcome_is_called_it_is_text() {
        let hostile = "\"><script>alert(1)</script>";
        let stats = stats(Vec::new(), &[(hostile, u64::MAX), ("status_<b>", u64::MAX)]);
        let listed = outcomes(Language::English.texts(), &stats, str::to_owned).into_string();
        assert!(
            !listed.contains("<script") && !listed.contains("<b>") && listed.contains("&lt;script&gt;"),
            "{listed}"
        );
    }

    #[test]
    fn many_outcomes_are_not_all_listed() {
        let names: Vec<_> = (100..200).map(|status| format!("status_{status}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let listed = outcomes(Language::English.texts(), &stats(Vec::new(), &many), str::to_owned).into_string();
        assert_eq!(listed.matches("<tr>").count(), 1 + MOST_OUTCOMES);
    }
}
