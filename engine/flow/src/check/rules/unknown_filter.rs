rule! {
    /// What it finds: a name after `|` that is no filter. The filters are `digits spell number ordinal money date time datetime
    /// phone duration percent last4 default upper lower length join`.
    ///
    /// ```yaml
    /// tell:
    ///   - say: "It is ${now | tiem}."
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// tell:
    ///   - say: "It is ${now | time}."
    ///   - goto: bye
    /// ```
    UNKNOWN_FILTER = "unknown-filter", Error, "there is no such filter", "没有这个过滤器"
}
