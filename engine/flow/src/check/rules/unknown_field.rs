rule! {
    /// What it finds: a field that the value does not have, by the description of whoever made it.
    ///
    /// ```yaml
    /// tell:
    ///   - say: "You called ${call.too | phone}."
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// tell:
    ///   - say: "You called ${call.to | phone}."
    ///   - goto: bye
    /// ```
    UNKNOWN_FIELD = "unknown-field", Error, "there is no such field", "没有这个字段"
}
