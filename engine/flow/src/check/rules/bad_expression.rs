rule! {
    /// What it finds: a condition or a `${ … }` that does not follow the grammar of expressions, or is longer than 1 KiB or nested
    /// deeper than 32 levels.
    ///
    /// ```yaml
    /// check:
    ///   if: call.priority >
    ///   then: bye
    ///   else: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// check:
    ///   if: call.priority > 50
    ///   then: bye
    ///   else: bye
    /// ```
    ///
    /// An expression has names, numbers, `"texts"`, lists, `and or not`, comparisons, `+ - * / %`, `~` to join texts, `in`, `is none`,
    /// `a if c else b`, and filters after `|`. There is nothing else.
    BAD_EXPRESSION = "bad-expression", Error, "an expression that cannot be read", "表达式无法解析"
}
