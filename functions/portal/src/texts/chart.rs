//! What a chart says.

/// See above.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// With how many were delivered, how many failed, from when and until when.
    pub(crate) describes: fn(u64, u64, &str, &str) -> String,
    /// With a time, how many were delivered, and how many failed.
    pub(crate) bucket: fn(&str, u64, u64) -> String,
    pub(crate) delivered: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) as_table: &'static str,
    /// Over the column of times.
    pub(crate) from: &'static str,
    /// Where only the newest of very many were counted; with how many.
    pub(crate) newest: fn(u64) -> String,
    pub(crate) outcomes: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) count: &'static str,
    pub(crate) share: &'static str,
    pub(crate) durations: &'static str,
    pub(crate) half: &'static str,
    pub(crate) most: &'static str,
    pub(crate) duration: &'static str,
}
