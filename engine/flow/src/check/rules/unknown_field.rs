rule! {
    /// What it finds: a field that the value does not have, by the description of whoever made it.
    ///
    /// ```yaml
    /// say: "It costs ${order.totl | money}."
    /// ```
    UNKNOWN_FIELD = "unknown-field", Error, "there is no such field", "没有这个字段"
}
